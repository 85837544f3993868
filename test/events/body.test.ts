import { describe, expect, it } from 'vitest'
import { eventBody, maxBodyBytes } from '../../src/events/body.ts'

const occurredAt = new Date('2026-03-01T12:00:00.000Z')
const body = (data: Record<string, unknown>) => eventBody({ type: 'import.succeeded', occurredAt, sequence: 3, data })
const large = 'ä'.repeat(maxBodyBytes / 2)

describe('the body of a webhook', () => {
  it('is the type, the time, the sequence and the data, in this order', () => {
    expect(body({ id: 'a', state: 'succeeded' })).toBe(
      '{"type":"import.succeeded","timestamp":"2026-03-01T12:00:00.000Z","sequence":3,"data":{"id":"a","state":"succeeded"}}',
    )
  })

  it('goes without metadata where it would be larger than 64 KiB, and says so', () => {
    const data = { id: 'a', message: 'fine', metadata: { large } }
    expect(JSON.parse(body(data))).toMatchObject({
      data: { id: 'a', message: 'fine', metadata: {} },
      omitted: ['metadata'],
    })
  })

  it('goes without the texts of the provider where that is not enough', () => {
    const parsed = JSON.parse(
      body({ id: 'a', metadata: { large }, message: large, lastError: null, providerStatus: 'X' }),
    )
    expect(parsed).toMatchObject({
      data: { id: 'a', metadata: {}, message: null, providerStatus: 'X' },
      omitted: ['metadata', 'message'],
    })
  })

  it('is never larger than 64 KiB', () => {
    const parsed = body({ id: 'a', jobId: large })
    expect(Buffer.byteLength(parsed)).toBeLessThanOrEqual(maxBodyBytes)
    expect(JSON.parse(parsed)).toMatchObject({ sequence: 3, data: { id: 'a' }, omitted: ['*'] })
  })

  it('can hold what Postgres text cannot', () => {
    const stored = body({ id: 'a', message: 'null \0 and half a pair \ud83d' })
    expect(stored).not.toContain('\0')
    expect(stored.isWellFormed()).toBe(true)
  })
})
