import { afterEach, expect, test, vi } from 'vitest'
import { type RunningCli, startCli } from '../cli/run.ts'
import { testEnvironment } from '../support/service.ts'
import { describeEachStore } from '../support/stores.ts'
import { useService } from '../support/worlds/service.ts'
import { holdWork, leases } from './held-work.ts'

const minute = 60_000

describeEachStore('a worker process', (store) => {
  const app = useService(store, { roles: 'api' })
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

  /** The time of every lease is over. */
  async function timePasses() {
    await app.sql('UPDATE leases SET until = now()')
  }

  test('that is killed in a poll, a collection and a delivery costs nothing but the time of its leases', async () => {
    const { polled, collected, delivered, consumer, requests, isHeld, letGo } = await holdWork(app)
    const killed = await startWorker()
    await isHeld()
    // A page is asked for while the one before it is stored.
    await vi.waitFor(async () => expect(await app.get(collected.id)).toMatchObject({ details: { skippedLines: 30 } }))
    killed.child.kill('SIGKILL')
    await killed.exited
    expect(await leases(app)).toEqual(['collect', 'deliver', 'poll'])

    await timePasses()
    letGo()
    await startWorker()
    expect(await app.over(polled.id)).toMatchObject({ state: 'succeeded', polls: 2 })
    await vi.waitFor(async () => {
      expect(await app.get(collected.id)).toMatchObject({ details: { state: 'complete', skippedLines: 60 } })
      expect(consumer.webhooks()).toHaveLength(2)
    }, 10_000)

    // The poll: the answer that was lost was asked for again.
    expect(await app.eventTypesOf(polled.id)).toEqual(['import.running', 'import.succeeded'])
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
    expect(await app.eventTypesOf(collected.id)).toEqual(['import.partial', 'import.rows_collected'])
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
    await vi.waitFor(async () => expect(await leases(app)).toEqual([]))
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
      expect(await leases(app)).toEqual(['deliver', 'poll'])
    }, 10_000)
    const { polls } = await app.get(id)
    worker.child.kill('SIGTERM')
    await vi.waitFor(async () => expect(await app.get(id)).toMatchObject({ state: 'running', polls: polls + 1 }), 5_000)
    answer()
    expect(await worker.exited).toBe(0)
    expect(await leases(app)).toEqual([])
    const query = { endpointId: consumer.endpointId }
    const { body } = await app.call('GET /v1/deliveries', {}, { query })
    expect(body.data).toMatchObject([{ state: 'delivered', attempts: 1 }])
  })
})
