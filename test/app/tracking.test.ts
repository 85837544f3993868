import { expect, test, vi } from 'vitest'
import { importEventTypes } from '../../src/model/import-state.ts'
import type { ProviderName, ScriptInput } from '../../src/sandbox/script.ts'
import { describeEachStore } from '../support/stores.ts'
import { adminToken } from '../support/worlds/ground.ts'
import { useService } from '../support/worlds/service.ts'

const minute = 60_000

interface Case {
  script: ScriptInput
  ends: Record<string, unknown>
  events: string[]
}

const cases: Record<ProviderName, Case> = {
  cdq: {
    script: { provider: 'cdq', queuedMs: minute, durationMs: minute, rows: 40, skippedLines: 25, pageSize: 10 },
    ends: {
      state: 'partial',
      providerStatus: 'FINISHED',
      rows: { inserted: 40, updated: 0, failed: 0, skipped: 25 },
      details: { state: 'complete', skippedLines: 25, rowResults: 0 },
    },
    events: ['import.queued', 'import.running', 'import.partial', 'import.rows_collected'],
  },
  micro: {
    script: { provider: 'micro', durationMs: minute, rows: 20, outcome: 'partial' },
    ends: {
      state: 'partial',
      providerStatus: 'complete',
      rows: { total: 20, processed: 20, succeeded: 18, failed: 2 },
      details: { state: 'complete', rowResults: 20 },
    },
    events: ['import.running', 'import.partial', 'import.rows_collected'],
  },
  zilliant: {
    script: { provider: 'zilliant', durationMs: minute, rows: 20, outcome: 'partial' },
    ends: { state: 'partial', rows: { failed: 2, succeeded: 18 }, details: { state: 'none' } },
    events: ['import.running', 'import.partial'],
  },
  fullstory: {
    script: { provider: 'fullstory', durationMs: minute, rows: 50, outcome: 'partial', pageSize: 2 },
    ends: {
      state: 'partial',
      providerStatus: 'FAILED',
      rows: { succeeded: 45, failed: 5 },
      details: { state: 'complete', rowResults: 5 },
    },
    events: ['import.running', 'import.partial', 'import.rows_collected'],
  },
}

describeEachStore('the service', (store) => {
  const app = useService(store)

  test.each(Object.entries(cases))(
    'follows an import at %s from its registration to the last webhook',
    async (_name, followed) => {
      const { script, ends, events } = followed
      const connection = await app.connect(script.provider)
      const consumer = await app.consumer({ types: [...importEventTypes], connections: [connection] })
      const { id } = await app.track(connection, script)
      for (const state of ['queued', 'running'] as const) {
        if (!events.includes(`import.${state}`)) continue
        await app.reaches(id, state)
        app.sandboxClock.advance(minute)
      }
      expect(await app.over(id)).toMatchObject({
        state: ends.state,
        lastError: null,
        nextPollAt: null,
      })

      await vi.waitFor(() => expect(consumer.webhooks()).toHaveLength(events.length), 10_000)
      expect(await app.get(id)).toMatchObject(ends)
      expect(await app.eventTypesOf(id)).toEqual(events)

      const webhooks = consumer.webhooks()
      expect(webhooks.map(({ type }) => type).toSorted()).toEqual(events.toSorted())
      expect(new Set(webhooks.map((webhook) => webhook.id)).size).toBe(events.length)
      expect(webhooks.find(({ type }) => type === 'import.partial')?.data).toMatchObject({ id, state: ends.state })
      expect(webhooks.find(({ type }) => type === events.at(-1))?.data).toMatchObject(ends)
      const snapshots = await app.call('GET /v1/imports/{id}/snapshots', { id })
      expect(snapshots.body.data.at(-1)).toMatchObject({ state: ends.state, polls: 1 })
    },
  )

  test('shows the skipped lines and the row results that it collected, as JSON and as CSV', async () => {
    const [cdq, fullstory] = [await app.connect('cdq'), await app.connect('fullstory')]
    const skipping = await app.track(cdq, { ...cases.cdq.script, queuedMs: 0, durationMs: 0 })
    const failing = await app.track(fullstory, { ...cases.fullstory.script, durationMs: 0 })
    for (const { id } of [skipping, failing])
      await vi.waitFor(async () => expect(await app.get(id)).toMatchObject({ details: { state: 'complete' } }), 10_000)

    const lines = await app.call('GET /v1/imports/{id}/skipped-lines', { id: skipping.id })
    expect(lines.body.data.map(({ line, page }: Record<string, number>) => [line, page])).toEqual(
      Array.from({ length: 25 }, (_, index) => [10 * (index + 1), Math.floor(index / 10)]),
    )
    const headers = { accept: 'text/csv' }
    const csv = await app.call('GET /v1/imports/{id}/row-results', { id: failing.id }, { headers })
    const [head, ...rows] = csv.body.trim().split(/\r?\n/)
    expect(head).toBe('row,recordId,created,existing,errorCode,errorMessage,line,column')
    expect(rows.map((row: string) => row.split(',').at(0))).toEqual(['0', '1', '2', '3', '4'])
    expect(rows[0]).toContain('required_field,name is required')
  })

  test('streams an import change by change until it is over', async () => {
    const script: ScriptInput = { provider: 'cdq', queuedMs: minute, durationMs: minute }
    const { id } = await app.track(await app.connect('cdq'), script)
    const authorization = `Bearer ${adminToken}`
    const response = await fetch(`${app.url}/v1/imports/${id}/stream`, { headers: { authorization } })
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    const states: string[] = []
    let last: unknown
    for await (const text of (response.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream())) {
      for (const [, data = ''] of text.matchAll(/^data: (.*)$/gm)) {
        last = JSON.parse(data)
        const { state } = last as { state: string }
        if (state === states.at(-1)) continue
        states.push(state)
        if (state !== 'pending') app.sandboxClock.advance(minute)
      }
    }
    expect(states.filter((state) => state !== 'pending')).toEqual(['queued', 'running', 'succeeded'])
    expect(last).toEqual(await app.get(id))
  })

  test('takes an answer that came inline, and tells of it like any other', async () => {
    const connection = await app.connect('micro')
    const consumer = await app.consumer({ types: ['import.succeeded'], connections: [connection] })
    const result = { status: 'complete', total: 1, succeeded: 1, failed: 0, results: [{ id: 'r', created: true }] }
    const { body } = await app.call('POST /v1/imports', {}, { body: { connection, result } })
    expect(body).toMatchObject({ state: 'succeeded', polls: 0, details: { state: 'complete', rowResults: 1 } })
    await vi.waitFor(() => expect(consumer.webhooks()).toMatchObject([{ data: { id: body.id } }]), 5_000)
  })

  test('polls a hundred imports that were registered at once, each to its end', async () => {
    const connection = await app.connect('cdq', { limits: { maxInFlight: 5 } })
    const jobs = Array.from({ length: 100 }, () => app.sandbox.add({ provider: 'cdq', durationMs: minute }))
    const imports = jobs.map(({ jobId }) => ({ connection, jobId }))
    const { body } = await app.call('POST /v1/imports/batch', {}, { body: { imports } })
    expect(new Set(body.data.map(({ status }: { status: number }) => status))).toEqual(new Set([201]))
    const allAre = (state: string) =>
      vi.waitFor(async () => {
        const query = { connection, state, limit: 1_000 }
        expect((await app.call('GET /v1/imports', {}, { query })).body.data).toHaveLength(100)
      }, 15_000)
    await allAre('running')
    app.sandboxClock.advance(minute)
    await allAre('succeeded')
  })
})
