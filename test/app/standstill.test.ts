// In real time, since that is what it is about: how soon work goes on by itself.
import { expect, onTestFinished, test, vi } from 'vitest'
import { readInstallationId } from '../../src/db/installation.ts'
import { queueNames } from '../../src/queue/jobs.ts'
import { openQueues } from '../../src/queue/queues.ts'
import { startCable } from '../support/cable.ts'
import { startTestService } from '../support/service.ts'
import { describeEachStore } from '../support/stores.ts'
import { useService } from '../support/worlds/service.ts'

/** More than two leases, since a busy machine may cut off one poll after the other. */
const patience = 150_000

describeEachStore('work goes on by itself', (store) => {
  const app = useService(store, { roles: 'api' })

  /** A worker behind cables of its own, with an import that it polls. */
  async function startWorker() {
    const postgres = await startCable(app.database.url)
    const redis = app.place.redisUrl ? await startCable(app.place.redisUrl) : null
    const worker = await startTestService({
      database: { url: postgres.url },
      redisUrl: redis?.url ?? null,
      roles: 'worker',
      logLines: app.logLines,
    })
    onTestFinished(async () => {
      await worker.stop()
      await Promise.all([postgres.cut(), redis?.cut()])
    })
    const { id } = await app.track(await app.connect('cdq'), { provider: 'cdq', durationMs: 3_600_000 })
    const polls = async () => (await app.get(id)).polls
    /** It is polled again from now on: at the latest when the lease of a poll that was cut off is over. */
    const goesOn = async () => {
      const before = await polls()
      await vi.waitFor(async () => expect(await polls()).toBeGreaterThan(before + 1), patience)
    }
    await goesOn()
    return { worker, id, polls, goesOn, cables: { postgres, redis } }
  }

  test('when ticks are removed, or queues paused', async () => {
    const { goesOn, worker } = await startWorker()
    const queues = openQueues({
      redisUrl: app.place.redisUrl ?? null,
      databaseUrl: app.database.url,
      installationId: await readInstallationId(app.database.db),
      works: false,
      onError: () => {},
    })
    onTestFinished(() => queues.close())
    await queues.all.dispatch.removeJobScheduler('tick-poll')
    await goesOn()
    const isPaused = (is: 0 | 1) => `import_tracker_queue_paused{queue="poll"} ${is}`
    await vi.waitFor(async () => {
      for (const name of queueNames) await queues.all[name].pause()
      expect(await metrics(worker.url)).toContain(isPaused(1))
    })
    await goesOn()
    // A connection that is served goes on without the queue.
    await vi.waitFor(async () => expect(await metrics(worker.url)).toContain(isPaused(0)))
    for (const name of queueNames) await queues.all[name].obliterate({ force: true })
    await goesOn()
  })

  test('when connections go silent and new ones work', async () => {
    const { goesOn, worker, cables } = await startWorker()
    cables.postgres.freeze()
    cables.redis?.freeze()
    await goesOn()
    await vi.waitFor(async () => expect((await fetch(`${worker.url}/readyz`)).status).toBe(200), patience)
  })

  test('and a worker that hears nothing at all says so, and stops in time', async () => {
    const { worker, cables } = await startWorker()
    cables.postgres.freeze({ forAll: true })
    cables.redis?.freeze({ forAll: true })
    expect((await fetch(`${worker.url}/readyz`)).status).toBe(503)
    expect((await fetch(`${worker.url}/healthz`)).status).toBe(200)
    const told = await metrics(worker.url)
    expect(told).toContain('import_tracker_queue_up 0')
    expect(told).toContain('import_tracker_tick_age_seconds{kind="poll"}')
    const startedAt = performance.now()
    await worker.stop()
    expect(performance.now() - startedAt).toBeLessThan(30_000)
  })
})

async function metrics(url: string): Promise<string> {
  const answer = await fetch(`${url}/metrics`)
  expect(answer.status).toBe(200)
  return answer.text()
}
