import { expect, test } from 'vitest'
import { providerNames } from '../../src/sandbox/script.ts'
import { ask, askJson, openSandbox } from './open.ts'

test('micro forgets a job after seven days, to the millisecond of expires_at', async () => {
  const { sandbox, clock } = await openSandbox()
  const job = sandbox.add({ provider: 'micro', durationMs: 1_000 })
  clock.advance(7 * 86_400_000 - 1)
  const last = await askJson(sandbox, job)
  expect(last.status).toBe('complete')
  clock.advance(1)
  expect(clock.now().toISOString()).toBe(last.expires_at)
  expect((await ask(sandbox, job)).status).toBe(404)
})

test.each(providerNames)('%s forgets a job when its script says so', async (provider) => {
  const { sandbox, clock } = await openSandbox()
  const job = sandbox.add({ provider, expiresAfterMs: 5_000 })
  expect((await ask(sandbox, job)).status).toBe(200)
  clock.advance(5_000)
  expect((await ask(sandbox, job)).status).toBe(404)
})

test("micro's limits, where they are switched on, are 10 a second and 1,000 a month, refusals not counted", async () => {
  const rateLimits = { micro: { requestsPerSecond: 10, requestsPerMonth: 1_000 } }
  const { sandbox, clock } = await openSandbox({ rateLimits })
  const job = sandbox.add({ provider: 'micro' })
  const statuses = async (count: number) => {
    const answers = []
    for (let request = 0; request < count; request++) answers.push((await ask(sandbox, job)).status)
    return answers
  }
  expect(await statuses(12)).toEqual([...Array(10).fill(200), 429, 429])
  expect((await ask(sandbox, job)).headers.get('retry-after')).toBe('1')
  for (let second = 1; second < 100; second++) {
    clock.advance(1_000)
    await statuses(10)
  }
  clock.advance(1_000)
  const refused = await ask(sandbox, job)
  expect(refused.status).toBe(429)
  // From 1 March, 12:01:40, to 1 April.
  expect(refused.headers.get('retry-after')).toBe(String(30.5 * 86_400 - 100))
  clock.set(new Date('2026-04-01T00:00:00Z'))
  const fresh = sandbox.add({ provider: 'micro' })
  expect((await ask(sandbox, fresh)).status).toBe(200)
})
