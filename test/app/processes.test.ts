import { expect, onTestFinished, test, vi } from 'vitest'
import { startTestService } from '../support/service.ts'
import { describeEachStore } from '../support/stores.ts'
import { hasty, useService } from '../support/worlds/service.ts'
import { startSlowProvider } from './slow-provider.ts'

describeEachStore('several processes', (store) => {
  const app = useService(store)

  test('never ask about an import twice at once, however slow the provider and however hurried the users', async () => {
    const provider = await startSlowProvider(50)
    onTestFinished(() => provider.close())
    const second = await startTestService({ ...app.place, roles: 'worker' })
    const third = await startTestService({ ...app.place, roles: 'worker' })
    const connection = 'slow'
    const body = {
      provider: 'cdq',
      baseUrl: provider.baseUrl,
      credentials: { apiKey: 'k' },
      limits: { ...hasty, minIntervalMs: 1, maxIntervalMs: 1, maxInFlight: 100 },
    }
    await app.call('PUT /v1/connections/{name}', { name: connection }, { body })
    const imports = Array.from({ length: 20 }, (_, index) => ({ connection, jobId: `j${index}` }))
    const registered = await app.call('POST /v1/imports/batch', {}, { body: { imports } })
    const ids: string[] = registered.body.data.map((item: { import: { id: string } }) => item.import.id)

    await vi.waitFor(
      async () => {
        await Promise.all(ids.map((id) => app.call('POST /v1/imports/{id}/poll', { id })))
        for (const { asked } of provider.jobs.values()) expect(asked).toBeGreaterThan(8)
        expect(provider.jobs.size).toBe(20)
      },
      { timeout: 150_000, interval: 50 },
    )
    await second.stop()
    await third.stop()
    for (const id of ids) expect(await app.call('POST /v1/imports/{id}/stop', { id })).toMatchObject({ status: 200 })

    expect([...provider.jobs.values()].map(({ most }) => most)).toEqual(ids.map(() => 1))
    for (const id of ids) expect(await app.eventTypesOf(id)).toEqual(['import.running', 'import.stopped'])
    const [stored] = await app.sql('SELECT sum(polls)::int AS polls FROM snapshots')
    const [counted] = await app.sql('SELECT sum(polls)::int AS polls FROM imports')
    expect(stored).toEqual(counted)
  })

  test('go on when all queue data is deleted under them', async () => {
    const connection = await app.connect('cdq')
    const consumer = await app.consumer({ types: ['import.partial'], connections: [connection] })
    const script = { provider: 'cdq', durationMs: 60_000, skippedLines: 50, pageSize: 10 } as const
    const tracked = await Promise.all(Array.from({ length: 10 }, () => app.track(connection, script)))
    await Promise.all(tracked.map(({ id }) => app.reaches(id, 'running')))
    await app.deleteQueueData()
    app.sandboxClock.advance(60_000)
    await vi.waitFor(
      async () => {
        // What was lost with the queue is due when its lease is over.
        for (const { id } of tracked)
          expect(await app.get(id)).toMatchObject({ state: 'partial', details: { state: 'complete' } })
        expect(consumer.webhooks()).toHaveLength(10)
      },
      { interval: 500 },
    )
    for (const { id } of tracked)
      expect(await app.eventTypesOf(id)).toEqual(['import.running', 'import.partial', 'import.rows_collected'])
  })
})
