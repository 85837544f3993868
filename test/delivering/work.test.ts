import { expect, it } from 'vitest'
import { createLog } from '../../src/base/log.ts'
import { deliverWork } from '../../src/delivering/work.ts'
import { takeLeases } from '../../src/work/leases.ts'
import { createServer } from '../../src/work/serve.ts'
import { only } from '../support/only.ts'
import { useDelivering } from '../support/worlds/delivering.ts'
import { status } from '../webhooks/receiver.ts'

const world = useDelivering()

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

it('an endpoint is served until nothing more is due to it', async () => {
  const receiver = await world.receiver()
  const endpoint = await world.endpoint({ url: receiver.url })
  for (let count = 0; count < 12; count += 1) await world.event()
  const { lines } = await work()
  expect(lines).toHaveLength(12)
  expect((await world.deliveriesOf(endpoint.id)).map(({ state }) => state)).toEqual(Array(12).fill('delivered'))
  expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id']))).toHaveLength(12)
  expect(receiver.received).toHaveLength(12)
  expect((await world.database.pool.query('SELECT FROM leases')).rowCount).toBe(0)
})

it('the log says what became of the endpoint', async () => {
  const receiver = await world.receiver(status(500))
  await world.endpoint({ url: receiver.url })
  for (let count = 0; count < 5; count += 1) await world.event()
  const { lines } = await work()
  expect(lines.map((line) => JSON.parse(line).endpoint)).toEqual(['fine', 'fine', 'fine', 'fine', 'failing'])
})

/** Serves the endpoints that have something due, until nothing more is. */
async function work() {
  const lines: string[] = []
  const attempts: unknown[] = []
  const log = createLog('info', { write: (line: string) => void lines.push(line) })
  const observeDelivery = (attempt: unknown) => attempts.push(attempt)
  const { db, clock } = world.deps
  const kind = deliverWork({ ...world.deps, log, observeDelivery })
  const server = createServer(kind, { db, clock, log, wake() {} })
  const now = clock.now()
  const due = [...(await kind.due(db, now, 100)), ...((await kind.dueInTrouble?.(db, now, 100)) ?? [])]
  const leases = await takeLeases(db, 'deliver', due, now)
  const { signal } = new AbortController()
  await Promise.all(leases.map(({ id }) => server.serve(id, signal)))
  return { lines, attempts }
}
