import { expect, test, vi } from 'vitest'
import { startWorkers } from '../../src/app/workers.ts'
import { systemClock } from '../../src/base/clock.ts'
import { createEncryption } from '../../src/base/encryption.ts'
import { createLog } from '../../src/base/log.ts'
import { createConnectionAccesses } from '../../src/connections/access.ts'
import { createAgents } from '../../src/egress/agents.ts'
import { createGuard } from '../../src/egress/guard.ts'
import { createProviderClient, providerTimeouts } from '../../src/providers/client.ts'
import { openQueues } from '../../src/queue/queues.ts'
import { createWake } from '../../src/work/wake.ts'
import { describeEachStore } from '../support/stores.ts'
import { testEncryptionKey } from '../support/worlds/ground.ts'
import { useService } from '../support/worlds/service.ts'

describeEachStore('workers that are stopped', (store) => {
  const app = useService(store, { roles: 'api' })

  test('cut off what takes too long, which is due again at once', async () => {
    await using opened = new AsyncDisposableStack()
    const held = { kind: 'timeout' } as const
    const cdq = await app.connect('cdq')
    const polled = await app.track(cdq, { provider: 'cdq', faults: [held] })
    const collected = await app.track(cdq, {
      provider: 'cdq',
      durationMs: 0,
      skippedLines: 30,
      pageSize: 10,
      faults: [{ ...held, on: 'details', atRequest: 2 }],
    })
    const micro = await app.connect('micro')
    const consumer = await app.consumer({ types: ['import.succeeded'], connections: [micro] }, () => {})
    await app.track(micro, { provider: 'micro', durationMs: 0 })

    const workers = await start(opened)
    const heldRequests = () => app.sandbox.requests().filter(({ status }) => status === null)
    await vi.waitFor(() => expect([heldRequests(), consumer.receiver.received]).toMatchObject([[{}, {}], [{}]]), 10_000)
    const startedAt = performance.now()
    await workers.stop(100)
    expect(performance.now() - startedAt).toBeLessThan(12_000) // the held requests would have lasted for 15 s

    const nothingLeft = { lease: null, due: true }
    expect(
      await app.sql(
        'SELECT (SELECT min(until) FROM leases) AS lease, due_at <= now() AS due, polls FROM polling WHERE import_id = $1',
        [polled.id],
      ),
    ).toEqual([{ ...nothingLeft, polls: 0 }])
    expect(
      await app.sql(
        `SELECT (SELECT min(until) FROM leases) AS lease, next_collect_at <= now() AS due, skipped_lines::int AS lines, collect_failures AS failures
         FROM imports WHERE id = $1`,
        [collected.id],
      ),
    ).toEqual([{ ...nothingLeft, lines: 20, failures: 0 }])
    expect(
      await app.sql(
        `SELECT (SELECT min(until) FROM leases) AS lease, next_attempt_at <= now() AS due, outcome
         FROM deliveries JOIN delivery_attempts ON delivery_id = deliveries.id`,
      ),
    ).toEqual([{ ...nothingLeft, outcome: 'in_flight' }])
  })

  /** The workers as the service composes them. */
  async function start(opened: AsyncDisposableStack) {
    const { db } = app.database
    const [clock, log, encryption] = [systemClock, createLog('silent'), createEncryption([testEncryptionKey])]
    const queues = openQueues({
      redisUrl: app.place.redisUrl ?? null,
      databaseUrl: app.database.url,
      installationId: 'test',
      onError: () => {},
    })
    opened.defer(() => queues.close())
    const guard = createGuard({ allowedCidrs: ['127.0.0.0/8'] })
    const agents = createAgents({ guard, timeouts: providerTimeouts })
    opened.defer(() => agents.destroy())
    return startWorkers({
      ...{ db, clock, log, encryption, queues, agents },
      wake: createWake({ queues, log }),
      accesses: createConnectionAccesses({ db, encryption, log }),
      client: createProviderClient({ agents, clock }),
      historyRetention: {},
      observePoll: () => {},
      observeDelivery: () => {},
    })
  }
})
