import { afterEach, expect, test, vi } from 'vitest'
import { type RunningCli, startCli } from '../cli/run.ts'
import { testEnvironment } from '../support/service.ts'
import { describeEachStore } from '../support/stores.ts'
import { status } from '../webhooks/receiver.ts'
import { useApp } from './world.ts'

const minute = 60_000

describeEachStore('a worker process', (store) => {
  const app = useApp(store, { roles: 'api' })
  const started: RunningCli[] = []
  afterEach(async () => {
    for (const { child, exited } of started.splice(0)) {
      child.kill('SIGKILL')
      await exited
    }
  })

  async function startWorker(): Promise<RunningCli> {
    const worker = startCli([], testEnvironment({ ...app.place, roles: 'worker' }))
    started.push(worker)
    await worker.said(/listens on/)
    return worker
  }

  const leases = () =>
    app.sql(`
      SELECT 'poll' AS of FROM imports WHERE poll_lease_until IS NOT NULL
      UNION ALL SELECT 'collect' FROM imports WHERE collect_lease_until IS NOT NULL
      UNION ALL SELECT 'deliver' FROM deliveries WHERE lease_until IS NOT NULL`)

  /** The time of every lease and of every lock in the queue is over. */
  async function timePasses() {
    await app.sql('UPDATE imports SET poll_lease_until = now() WHERE poll_lease_until IS NOT NULL')
    await app.sql('UPDATE imports SET collect_lease_until = now() WHERE collect_lease_until IS NOT NULL')
    await app.sql('UPDATE deliveries SET lease_until = now() WHERE lease_until IS NOT NULL')
    await app.deleteQueueData() // its jobs of the dead worker; test/queue/killed-worker.test.ts shows that they go
  }

  test('that is killed in a poll, a collection and a delivery costs nothing but the time of its leases', async () => {
    const connection = await app.connect('cdq')
    const held = { kind: 'timeout' } as const
    const polled = await app.track(connection, {
      provider: 'cdq',
      durationMs: minute,
      faults: [{ ...held, atRequest: 2 }],
    })
    const collected = await app.track(connection, {
      provider: 'cdq',
      durationMs: 0,
      skippedLines: 60,
      pageSize: 10,
      faults: [{ ...held, on: 'details', atRequest: 3 }],
    })
    const announced = await app.connect('zilliant')
    const consumer = await app.consumer({ types: ['import.succeeded'], connections: [announced] }, () => {})
    const delivered = await app.track(announced, { provider: 'zilliant', durationMs: 0 })
    const requests = (kind: string, { job }: { job: { jobId: string } }) =>
      app.sandbox.requests().filter((request) => request.kind === kind && request.jobId === job.jobId)

    const killed = await startWorker()
    await vi.waitFor(() => {
      expect(requests('status', polled).map((request) => request.status)).toEqual([200, null])
      expect(requests('details', collected).map((request) => request.status)).toEqual([200, 200, null])
      expect(consumer.receiver.received).toHaveLength(1)
    }, 10_000)
    killed.child.kill('SIGKILL')
    await killed.exited
    expect((await leases()).map(({ of }) => of).toSorted()).toEqual(['collect', 'deliver', 'poll'])

    await timePasses()
    consumer.receiver.answer(status(204))
    app.sandboxClock.advance(minute)
    await startWorker()
    expect(await app.over(polled.id)).toMatchObject({ state: 'succeeded', polls: 2 })
    await vi.waitFor(async () => {
      expect(await app.get(collected.id)).toMatchObject({ details: { state: 'complete', skippedLines: 60 } })
      expect(consumer.webhooks()).toHaveLength(2)
    }, 10_000)

    // The poll: the answer that was lost was asked for again.
    expect(await app.eventsOf(polled.id)).toEqual(['import.running', 'import.succeeded'])
    // The collection: of its pages only the one under way was asked for twice, and every line is there once.
    expect(requests('details', collected).map(({ cursor }) => cursor)).toEqual([
      '110',
      '210',
      '310',
      '310',
      '410',
      '510',
    ])
    const lines = await app.sql('SELECT line FROM skipped_lines WHERE import_id = $1', [collected.id])
    expect(lines.map(({ line }) => Number(line)).toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 60 }, (_, index) => 10 * (index + 1)),
    )
    expect(await app.eventsOf(collected.id)).toEqual(['import.partial', 'import.rows_collected'])
    // The delivery: the same bytes under the same id, and the attempt that was cut off is there to be seen.
    const [first, second] = consumer.webhooks()
    expect(second).toEqual(first)
    expect(first?.data).toMatchObject({ id: delivered.id })
    await vi.waitFor(async () =>
      expect(await app.sql('SELECT outcome FROM delivery_attempts ORDER BY number')).toEqual([
        { outcome: 'in_flight' },
        { outcome: 'delivered' },
      ]),
    )
    expect(await leases()).toEqual([])
  })

  test('that gets SIGTERM ends what it has begun, leaves no lease and exits with 0', async () => {
    const connection = await app.connect('fullstory')
    const { id } = await app.track(connection, {
      provider: 'fullstory',
      durationMs: minute,
      faults: [{ kind: 'slow_body', overMs: 1_000 }],
    })
    let answer = () => {}
    const announced = await app.connect('micro')
    const consumer = await app.consumer({ types: ['import.succeeded'], connections: [announced] }, (response) => {
      answer = () => response.writeHead(204).end()
    })
    await app.track(announced, { provider: 'micro', durationMs: 0 })

    const worker = await startWorker()
    await vi.waitFor(async () => {
      expect(consumer.receiver.received).toHaveLength(1)
      expect((await leases()).map(({ of }) => of).toSorted()).toEqual(['deliver', 'poll'])
    }, 10_000)
    const { polls } = await app.get(id)
    worker.child.kill('SIGTERM')
    await vi.waitFor(async () => expect(await app.get(id)).toMatchObject({ state: 'running', polls: polls + 1 }), 5_000)
    answer()
    expect(await worker.exited).toBe(0)
    expect(await leases()).toEqual([])
    const query = { endpointId: consumer.endpointId }
    const { body } = await app.api.call('GET /v1/deliveries', {}, { query })
    expect(body.data).toMatchObject([{ state: 'delivered', attempts: 1 }])
  })
})
