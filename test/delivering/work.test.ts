import { expect, it } from 'vitest'
import { createLog } from '../../src/base/log.ts'
import { createDeliveryWorker } from '../../src/delivering/work.ts'
import { claimAllDeliveries } from '../support/claim.ts'
import { status } from '../webhooks/receiver.ts'
import { only, useWebhookWorld } from '../webhooks/world.ts'

const world = useWebhookWorld()

it('an attempt is one log line and one observation, without secrets', async () => {
  const receiver = await world.receiver(status(500))
  const url = `${receiver.url}/hooks?token=open-sesame`
  const endpoint = await world.endpoint({ url, headers: { Authorization: 'Bearer open-sesame' } })
  const eventId = await world.event()
  world.clock.advance(250)

  const { lines, attempts } = await work()
  expect(JSON.parse(only(lines))).toEqual({
    level: 30,
    time: expect.any(String),
    msg: 'delivery',
    deliveryId: only(await world.deliveriesOf(endpoint.id)).id,
    eventId,
    type: 'import.succeeded',
    endpointId: endpoint.id,
    url: `${receiver.url}/hooks`,
    attempt: 1,
    manual: false,
    outcome: 'http_error',
    status: 500,
    errorCode: null,
    systemCode: null,
    durationMs: 0,
    latenessMs: 250,
    state: 'pending',
    nextInMs: 5_000,
    endpoint: 'fine',
  })
  expect(attempts).toEqual([{ outcome: 'http_error', durationMs: 0, firstAttemptDelayMs: 250 }])

  world.clock.advance(5_000)
  expect((await work()).attempts).toEqual([{ outcome: 'http_error', durationMs: 0, firstAttemptDelayMs: null }])
})

it('what could not be connected is logged with our word and the system’s for it', async () => {
  const receiver = await world.receiver()
  await world.endpoint({ url: receiver.url })
  await receiver.close()
  await world.event()
  expect(JSON.parse(only((await work()).lines))).toMatchObject({
    outcome: 'connect_error',
    errorCode: 'connection_refused',
    systemCode: 'ECONNREFUSED',
  })
})

it('a job goes on with what else is due to its endpoint', async () => {
  const receiver = await world.receiver()
  const endpoint = await world.endpoint({ url: receiver.url })
  for (let count = 0; count < 12; count += 1) await world.event()
  const { lines, wakes } = await work() // a tick leases five at once
  expect(lines.length).toBeGreaterThan(5)
  while ((await world.deliveriesOf(endpoint.id)).some(({ state }) => state === 'pending')) {
    expect(wakes).toContain('deliver') // a job ends after a while, so that others get its slot
    await work()
  }
  expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id']))).toHaveLength(12)
  expect(receiver.received).toHaveLength(12)
})

it('the log says what became of the endpoint', async () => {
  const receiver = await world.receiver(status(500))
  await world.endpoint({ url: receiver.url })
  for (let count = 0; count < 5; count += 1) await world.event()
  const { lines } = await work()
  expect(lines.map((line) => JSON.parse(line).endpoint)).toEqual(['fine', 'fine', 'fine', 'fine', 'failing'])
})

/** Does what is due, as the queue would. */
async function work() {
  const lines: string[] = []
  const attempts: unknown[] = []
  const wakes: string[] = []
  const log = createLog('info', { write: (line: string) => void lines.push(line) })
  const wake = Object.assign((due: Iterable<string>) => void wakes.push(...due), { listen() {} })
  const observeDelivery = (attempt: unknown) => attempts.push(attempt)
  const worker = createDeliveryWorker({ ...world.deps, log, wake, observeDelivery })
  const deliveries = await claimAllDeliveries(world.deps.db, world.clock.now())
  for (const { id, number, manual } of deliveries)
    await worker({ deliveryId: id, number, manual }, new AbortController().signal)
  return { lines, attempts, wakes }
}
