import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { after as later } from '../../src/base/clock.ts'
import { afterFailure, type Health, healthy, isGivenUp, isHeldBack } from '../../src/webhooks/endpoints/health.ts'

const minute = 60_000
const day = 86_400_000
const start = new Date('2026-03-01T12:00:00.000Z')
const at = (ms: number) => later(start, ms)

describe('the breaker', () => {
  it('opens at the fifth failure in a row', () => {
    const healths = failures([0, 1, 2, 3, 4])
    expect(healths.map(({ failingSince }) => failingSince)).toEqual([null, null, null, null, at(4)])
    expect(healths.at(-1)).toMatchObject({ failures: 5, firstFailureAt: at(0), nextProbeAt: at(4 + minute) })
  })

  it('lets a probe through a minute later, then after twice as long each time, up to half an hour', () => {
    let health = failures([0, 0, 0, 0, 0]).at(-1) ?? healthy
    const waits: number[] = []
    for (let probe = 0; probe < 8; probe += 1) {
      const dueAt = health.nextProbeAt ?? start
      expect(isHeldBack(health, later(dueAt, -1))).toBe(true)
      expect(isHeldBack(health, dueAt)).toBe(false)
      const endedAt = later(dueAt, 15_000)
      health = afterFailure(health, { startedAt: dueAt, endedAt, asksToWait: false })
      waits.push(((health.nextProbeAt ?? start).getTime() - endedAt.getTime()) / minute)
    }
    expect(waits).toEqual([2, 4, 8, 16, 30, 30, 30, 30])
  })

  it('takes no attempt for a probe that was under way when it opened', () => {
    const open = failures([0, 0, 0, 0, 1_000]).at(-1) ?? healthy
    const late = afterFailure(open, { startedAt: at(900), endedAt: at(5_000), asksToWait: false })
    expect(late).toEqual({ ...open, failures: 6 })
  })

  it('does not open for answers that say how long to wait, though they count', () => {
    const asked = failures([0, 1, 2, 3, 4, 5], true).at(-1) ?? healthy
    expect(asked).toMatchObject({ failures: 6, failingSince: null })
    expect(afterFailure(asked, { startedAt: at(6), endedAt: at(6), asksToWait: false })).toMatchObject({
      failingSince: at(6),
    })
  })

  it('never has a probe wait for less than a minute or more than half an hour', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(3_600_000), { maxLength: 40 }), (pauses) => {
        let health = healthy
        let now = start
        for (const pause of pauses) {
          now = later(now, pause)
          health = afterFailure(health, { startedAt: now, endedAt: now, asksToWait: false })
          if (health.nextProbeAt === null) continue
          const waitMs = health.nextProbeAt.getTime() - now.getTime()
          expect(waitMs).toBeLessThanOrEqual(30 * minute)
          if (pause > 0) expect(waitMs).toBeGreaterThanOrEqual(minute)
        }
        expect(health.failures).toBe(pauses.length)
        expect(health.failingSince !== null).toBe(pauses.length >= 5)
      }),
    )
  })
})

describe('an endpoint is given up', () => {
  const failing = (count: number): Health => ({ ...healthy, failures: count, firstFailureAt: start })

  it('after five days without a success and ten failures', () => {
    expect(isGivenUp(failing(10), at(5 * day))).toBe(true)
    expect(isGivenUp(failing(10), at(5 * day - 1))).toBe(false)
    expect(isGivenUp(failing(9), at(50 * day))).toBe(false)
    expect(isGivenUp(healthy, at(50 * day))).toBe(false)
  })

  it('not for having had nothing to do before it failed', () => {
    const busy = failures([50 * day, ...Array.from({ length: 20 }, () => 50 * day)]).at(-1) ?? healthy
    expect(isGivenUp(busy, at(51 * day))).toBe(false)
  })
})

/** What is kept after each failure, at these times after the start. */
function failures(times: readonly number[], asksToWait = false): Health[] {
  const all: Health[] = []
  for (const time of times)
    all.push(afterFailure(all.at(-1) ?? healthy, { startedAt: at(time), endedAt: at(time), asksToWait }))
  return all
}
