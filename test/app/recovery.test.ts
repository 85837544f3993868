// In real time, since that is what it is about; on all stores at once, since most of it is waiting.
import { expect, onTestFinished, test, vi } from 'vitest'
import { startCli } from '../cli/run.ts'
import { testEnvironment } from '../support/service.ts'
import { queueStores } from '../support/stores.ts'
import { type ServiceWorld, useService } from '../support/worlds/service.ts'
import { holdWork, leases } from './held-work.ts'

const apps = queueStores.filter(({ available }) => available).map((store) => useService(store, { roles: 'api' }))

test('what a killed worker held is done by another one within 65 seconds', async () => {
  await Promise.all(apps.map(recovers))
})

async function recovers(app: ServiceWorld): Promise<void> {
  const { polled, collected, consumer, isHeld, letGo } = await holdWork(app)
  const killed = await startWorker(app)
  await isHeld()
  await startWorker(app)
  killed.kill('SIGKILL')
  expect(await leases(app)).toEqual(['collect', 'deliver', 'poll'])
  letGo()
  const since = performance.now()
  await vi.waitFor(
    async () => {
      expect(await app.get(polled.id)).toMatchObject({ state: 'succeeded' })
      expect(await app.get(collected.id)).toMatchObject({ details: { state: 'complete', skippedLines: 60 } })
      expect(consumer.webhooks()).toHaveLength(2)
      expect(await leases(app)).toEqual([])
    },
    { interval: 250 },
  )
  expect(performance.now() - since).toBeLessThan(65_000)
}

async function startWorker(app: ServiceWorld) {
  const { child, exited, said } = startCli([], testEnvironment({ ...app.place, roles: 'worker' }))
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await exited
  })
  await said(/listens on/)
  return child
}
