import { randomBytes } from 'node:crypto'
import { eq } from 'drizzle-orm'
import { Webhook } from 'standardwebhooks'
import { describe, expect, it } from 'vitest'
import { createEncryption } from '../../src/base/encryption.ts'
import { deliveries } from '../../src/db/schema/index.ts'
import { redeliver } from '../../src/webhooks/deliveries/redeliver.ts'
import { patchEndpoint } from '../../src/webhooks/endpoints/patch.ts'
import { rotateSecret } from '../../src/webhooks/endpoints/rotate-secret.ts'
import { testEndpoint } from '../../src/webhooks/endpoints/send-test.ts'
import { leaseMs } from '../../src/work/leases.ts'
import { serving } from '../support/delivering.ts'
import { only } from '../support/only.ts'
import { useDelivering } from '../support/worlds/delivering.ts'
import { status } from '../webhooks/receiver.ts'

const world = useDelivering()
const day = 86_400_000

describe('a delivery', () => {
  it('is a signed request with the stored body', async () => {
    world.clock.set(new Date()) // the verifier has its own clock
    const receiver = await world.receiver()
    const endpoint = await world.endpoint({ url: `${receiver.url}/hooks?team=7`, headers: { 'X-Team': 'data' } })
    const eventId = await world.event()
    await world.deliverDue()

    const { path, headers, body } = only(receiver.received)
    expect(path).toBe('/hooks?team=7')
    expect(headers).toMatchObject({
      'webhook-id': eventId,
      'content-type': 'application/json',
      'user-agent': 'ImportTracker-Webhooks/1',
      'accept-encoding': 'identity',
      'x-team': 'data',
    })
    expect(new Webhook(endpoint.secret).verify(body, headers)).toMatchObject({
      type: 'import.succeeded',
      data: { state: 'succeeded', message: 'über 100 Zeilen' },
    })
    const delivery = only(await world.deliveriesOf(endpoint.id))
    expect(delivery).toMatchObject({
      state: 'delivered',
      attempts: 1,
      nextAttemptAt: null,
      deliveredAt: world.clock.now(),
    })
    expect(only(await world.attemptsOf(delivery.id))).toMatchObject({
      number: 1,
      manual: false,
      outcome: 'delivered',
      status: 204,
      responseSnippet: null,
    })
  })

  it('is retried on schedule, with the same id and bytes and a new timestamp', async () => {
    const receiver = await world.receiver(status(500, {}, 'sorry'))
    const endpoint = await world.endpoint({ url: receiver.url })
    await world.event()
    const waits: number[] = []
    for (let attempt = 1; attempt <= 12; attempt += 1) {
      await world.deliverDue()
      const { state, nextAttemptAt } = only(await world.deliveriesOf(endpoint.id))
      expect(state).toBe(attempt < 12 ? 'pending' : 'exhausted')
      if (nextAttemptAt === null) break
      const waitMs = nextAttemptAt.getTime() - world.clock.now().getTime()
      waits.push(waitMs / 1_000)
      world.clock.advance(waitMs - 1)
      expect(await world.deliverDue()).toEqual([])
      world.clock.advance(1)
    }
    expect(waits).toEqual([5, 30, 120, 600, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400])
    expect(new Set(receiver.received.map(({ headers, body }) => `${headers['webhook-id']} ${body}`)).size).toBe(1)
    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-timestamp'])).size).toBe(12)
    const attempts = await world.attemptsOf(only(await world.deliveriesOf(endpoint.id)).id)
    expect(
      attempts.map(({ number, outcome, status, responseSnippet }) => [number, outcome, status, responseSnippet]),
    ).toEqual(Array.from({ length: 12 }, (_, index) => [index + 1, 'http_error', 500, 'sorry']))
  })

  it('disables its endpoint on 410, and nothing else is sent there', async () => {
    const receiver = await world.receiver(status(410))
    const endpoint = await world.endpoint({ url: receiver.url })
    await world.event()
    await world.deliverDue()
    expect(await world.endpointRow(endpoint.id)).toMatchObject({
      disabledAt: world.clock.now(),
      disabledReason: 'gone',
    })
    expect(only(await world.deliveriesOf(endpoint.id)).state).toBe('exhausted')
    await world.event()
    expect(await world.deliverDue()).toEqual([])
    expect((await world.deliveriesOf(endpoint.id)).map(({ state }) => state)).toEqual(['exhausted', 'skipped'])
  })

  it('on 410 also skips what was pending', async () => {
    const receiver = await world.receiver(status(500))
    const endpoint = await world.endpoint({ url: receiver.url })
    await world.event()
    await world.deliverDue()
    receiver.answer(status(410))
    await world.event()
    await world.deliverDue()
    expect((await world.deliveriesOf(endpoint.id)).map(({ state }) => state)).toEqual(['skipped', 'exhausted'])
  })

  it.each([
    ['a bare 429', 429, () => ({}), 60_000],
    ['a 429 in seconds', 429, () => ({ 'retry-after': '90' }), 90_000],
    ['a 503 with a date', 503, () => ({ 'retry-after': httpDateIn(121_000), date: httpDateIn(1_000) }), 120_000],
    ['a 429 of a week', 429, () => ({ 'retry-after': '604800' }), day],
  ])('makes the whole endpoint wait on %s', async (_name, code, headers, waitMs) => {
    world.clock.set(new Date('2026-03-09T12:00:00.000Z')) // dates have whole seconds
    const receiver = await world.receiver(status(code, headers()))
    const endpoint = await world.endpoint({ url: receiver.url })
    await world.event()
    world.clock.set(new Date('2026-03-09T12:00:01.000Z'))
    await world.deliverDue()
    await world.event()
    expect(await world.deliverDue()).toEqual([])
    receiver.answer(status(200))
    world.clock.set(new Date(Date.parse('2026-03-09T12:00:00.999Z') + waitMs))
    expect(await world.deliverDue()).toEqual([])
    world.clock.advance(1)
    await world.deliverDue()
    expect((await world.deliveriesOf(endpoint.id)).map(({ state }) => state)).toEqual(['delivered', 'delivered'])
  })

  it('is given up after three retries of a blocked address', async () => {
    const endpoint = await world.endpoint({ url: 'https://hooks.example.com/' })
    await world.db.execute(`UPDATE webhook_endpoints SET url = 'http://10.0.0.1/' WHERE id = '${endpoint.id}'`)
    await world.event()
    for (let attempt = 1; attempt <= 4; attempt += 1) {
      expect(only(await world.deliveriesOf(endpoint.id)).state).toBe('pending')
      world.clock.advance(120_000)
      expect(only(await world.deliverDue())).toMatchObject({ result: { outcome: 'blocked_address' } })
    }
    expect(only(await world.deliveriesOf(endpoint.id))).toMatchObject({ state: 'exhausted', attempts: 4 })
  })

  it('signs with both secrets until the overlap is over', async () => {
    world.clock.set(new Date())
    const receiver = await world.receiver()
    const old = await world.endpoint({ url: receiver.url })
    const rotated = await rotateSecret(world.deps, old.id, { overlapHours: 24 })
    expect(rotated.secret).not.toBe(old.secret)

    await world.event()
    await world.deliverDue()
    const { headers, body } = only(receiver.received)
    expect(headers['webhook-signature']?.split(' ')).toHaveLength(2)
    for (const secret of [old.secret, rotated.secret]) new Webhook(secret).verify(body, headers)

    world.clock.advance(day)
    await world.event()
    await world.deliverDue()
    expect(receiver.received[1]?.headers['webhook-signature']?.split(' ')).toHaveLength(1)
  })

  it('signs with the new secret alone when it is rotated without overlap', async () => {
    const receiver = await world.receiver()
    const { id } = await world.endpoint({ url: receiver.url })
    await rotateSecret(world.deps, id, { overlapHours: 24 })
    await rotateSecret(world.deps, id, { overlapHours: 0 })
    await world.event()
    await world.deliverDue()
    expect(only(receiver.received).headers['webhook-signature']?.split(' ')).toHaveLength(1)
  })

  it('of a test goes to that endpoint alone', async () => {
    const receiver = await world.receiver()
    const tested = await world.endpoint({ url: receiver.url, types: ['import.lost'] })
    const other = await world.endpoint({ url: receiver.url })
    const delivery = await testEndpoint(world.deps, tested.id)
    expect(delivery).toMatchObject({ endpointId: tested.id, type: 'webhook.test', state: 'pending', attempts: 0 })
    await world.deliverDue()
    expect(JSON.parse(only(receiver.received).body)).toMatchObject({ type: 'webhook.test', data: { id: tested.id } })
    expect(await world.deliveriesOf(other.id)).toEqual([])
    await patchEndpoint(world.deps, tested.id, { enabled: false })
    await expect(testEndpoint(world.deps, tested.id)).rejects.toMatchObject({ code: 'conflict' })
  })
})

describe('what is not sent', () => {
  it('is a delivery to an endpoint that somebody else serves', async () => {
    const { receiver } = await pending()
    const other = serving(world.deps)
    expect(await other.begin()).toHaveLength(1)
    expect(await world.deliverDue()).toEqual([])
    expect(receiver.received).toEqual([])
  })

  it('is a delivery that is over', async () => {
    const { receiver, delivery } = await pending()
    await world.deliverDue()
    await world.db.update(deliveries).set({ nextAttemptAt: world.clock.now() }).where(eq(deliveries.id, delivery.id))
    expect(await world.deliverDue()).toEqual([])
    expect(receiver.received).toHaveLength(1)
    expect(await world.deliveryRow(delivery.id)).toMatchObject({ state: 'delivered', nextAttemptAt: null })
  })

  it('is a delivery to an endpoint that was disabled or deleted, or has to wait, since it is served', async () => {
    for (const [change, state] of [
      ['disabled_at', 'skipped'],
      ['deleted_at', 'skipped'],
      ['blocked_until', 'pending'],
    ]) {
      const { receiver, delivery } = await pending()
      const process = serving(world.deps)
      expect(await process.beginOnce(0)).toEqual([])
      const later = new Date(world.clock.now().getTime() + 1_000).toISOString()
      await world.db.execute(`UPDATE webhook_endpoints SET ${change} = '${later}' WHERE id = '${delivery.endpointId}'`)
      expect(await process.begin()).toEqual([])
      const nextAttemptAt = state === 'pending' ? delivery.nextAttemptAt : null
      expect(await world.deliveryRow(delivery.id)).toMatchObject({ state, nextAttemptAt, attempts: 0 })
      expect(receiver.received).toEqual([])
    }
  })

  it('is a delivery whose event is gone: it ends', async () => {
    const { receiver, delivery } = await pending()
    await world.db.execute(`DELETE FROM events WHERE id = '${delivery.eventId}'`)
    expect(await world.deliverDue()).toEqual([])
    expect(await world.deliveryRow(delivery.id)).toMatchObject({ state: 'skipped', nextAttemptAt: null })
    expect(receiver.received).toEqual([])
  })

  it('is one of two attempts that begin at once', async () => {
    const { receiver } = await pending()
    const both = await Promise.all([1, 2].map(() => world.deliverDue()))
    expect(both.flat()).toMatchObject([{ kind: 'attempted' }])
    expect(receiver.received).toHaveLength(1)
  })

  it('is anything while the keys are lost; the attempt says so, and the next one may find them', async () => {
    const { receiver, delivery } = await pending()
    await world.deliverDue({ encryption: createEncryption([randomBytes(32)]) })
    expect(only(await world.attemptsOf(delivery.id))).toMatchObject({
      outcome: 'connect_error',
      errorCode: 'undecipherable_secret',
      status: null,
    })
    expect(receiver.received).toEqual([])
    const { state, nextAttemptAt } = await world.deliveryRow(delivery.id)
    expect(state).toBe('pending')
    world.clock.set(nextAttemptAt ?? world.clock.now())
    await world.deliverDue()
    expect(receiver.received).toHaveLength(1)
  })
})

describe('a crash', () => {
  it('leaves the attempt in flight, and the delivery due when its lease is over', async () => {
    const { receiver, delivery } = await pending()
    await crash()
    expect(receiver.received).toHaveLength(1)
    expect(only(await world.attemptsOf(delivery.id))).toMatchObject({ outcome: 'in_flight', durationMs: null })
    expect(await world.deliveryRow(delivery.id)).toMatchObject({ state: 'pending', attempts: 1 })
    world.clock.advance(leaseMs - 1)
    expect(await world.deliverDue()).toEqual([])

    world.clock.advance(1)
    await world.deliverDue()
    expect(await world.deliveryRow(delivery.id)).toMatchObject({ state: 'delivered', attempts: 2 })
    expect((await world.attemptsOf(delivery.id)).map(({ outcome }) => outcome)).toEqual(['in_flight', 'delivered'])
    const [first, second] = receiver.received
    expect(second?.body).toBe(first?.body)
    expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id'])
  })

  it('in an attempt that was asked for leaves it asked for', async () => {
    const { delivery } = await pending()
    await world.deliverDue()
    await redeliver(world.deps, delivery.id)
    await crash()
    world.clock.advance(leaseMs)
    expect(only(await world.deliverDue())).toMatchObject({ kind: 'attempted', attempt: { manual: true, number: 3 } })
  })

  it('is not what being told to stop looks like: the delivery is due at once', async () => {
    const stop = new AbortController()
    const receiver = await world.receiver(() => stop.abort()) // and no answer
    const endpoint = await world.endpoint({ url: receiver.url })
    await world.event()
    expect(only(await world.deliverDue({}, stop.signal))).toEqual({ kind: 'interrupted' })
    const delivery = only(await world.deliveriesOf(endpoint.id))
    expect(delivery).toMatchObject({ state: 'pending', nextAttemptAt: delivery.createdAt })
    expect(only(await world.attemptsOf(delivery.id)).outcome).toBe('in_flight')
    receiver.answer(status(200))
    await world.deliverDue()
    expect((await world.deliveryRow(delivery.id))?.state).toBe('delivered')
  })
})

describe('an attempt that somebody asks for', () => {
  it('is made whatever became of the delivery, with the same bytes, and counted apart', async () => {
    const { receiver, delivery } = await pending()
    await world.deliverDue()
    const deliveredAt = world.clock.now()
    world.clock.advance(1_000)
    expect(await redeliver(world.deps, delivery.id)).toMatchObject({ state: 'delivered', attempts: 1 })
    await world.deliverDue()
    expect(receiver.received[1]?.body).toBe(receiver.received[0]?.body)
    expect(await world.deliveryRow(delivery.id)).toMatchObject({
      state: 'delivered',
      attempts: 1,
      manualAttempts: 1,
      manualRequested: false,
      nextAttemptAt: null,
      deliveredAt,
    })
    expect((await world.attemptsOf(delivery.id)).map(({ manual }) => manual)).toEqual([false, true])
  })

  it('delivers what was exhausted, and leaves it so when it fails', async () => {
    const { receiver, delivery } = await pending()
    await world.db
      .update(deliveries)
      .set({ state: 'exhausted', nextAttemptAt: null })
      .where(eq(deliveries.id, delivery.id))
    receiver.answer(status(500))
    await redeliver(world.deps, delivery.id)
    await world.deliverDue()
    expect(await world.deliveryRow(delivery.id)).toMatchObject({ state: 'exhausted', nextAttemptAt: null })
    receiver.answer(status(200))
    await redeliver(world.deps, delivery.id)
    await world.deliverDue()
    expect(await world.deliveryRow(delivery.id)).toMatchObject({ state: 'delivered', manualAttempts: 2, attempts: 0 })
  })

  it('uses up no automatic one: a pending delivery goes on with its schedule', async () => {
    const { receiver, delivery } = await pending(status(500))
    await world.deliverDue()
    await redeliver(world.deps, delivery.id)
    await world.deliverDue()
    expect(await world.deliveryRow(delivery.id)).toMatchObject({ state: 'pending', attempts: 1, manualAttempts: 1 })
    world.clock.advance(5_000)
    receiver.answer(status(200))
    await world.deliverDue()
    expect(await world.deliveryRow(delivery.id)).toMatchObject({ state: 'delivered', attempts: 2, manualAttempts: 1 })
  })

  it('stays due when it is asked for while another one is under way', async () => {
    const { receiver, delivery } = await pending()
    const isAsked = Promise.withResolvers<void>()
    receiver.answer(async (response) => {
      await redeliver(world.deps, delivery.id).then(() => isAsked.resolve(), isAsked.reject)
      response.end()
    })
    await world.deliverDue()
    await isAsked.promise
    expect(await world.deliveryRow(delivery.id)).toMatchObject({ state: 'delivered', manualRequested: true })
    receiver.answer(status(200))
    await world.deliverDue()
    expect(receiver.received).toHaveLength(2)
    expect(await world.deliveryRow(delivery.id)).toMatchObject({
      manualRequested: false,
      nextAttemptAt: null,
      manualAttempts: 1,
    })
  })

  it.each([
    [500, 'exhausted', 'exhausted'],
    [500, 'pending', 'pending'],
    [200, 'exhausted', 'delivered'],
  ])('stays due when it is asked for again while it is under way: %i, %s', async (code, before, after) => {
    const { receiver, delivery } = await pending(status(500))
    await world.deliverDue()
    if (before === 'exhausted')
      await world.db
        .update(deliveries)
        .set({ state: before, nextAttemptAt: null })
        .where(eq(deliveries.id, delivery.id))
    await redeliver(world.deps, delivery.id)
    receiver.answer(async (response, request) => {
      world.clock.advance(1)
      await redeliver(world.deps, delivery.id)
      status(code)(response, request)
    })
    await world.deliverDue()
    expect(await world.deliveryRow(delivery.id)).toMatchObject({
      state: after,
      manualRequested: true,
      nextAttemptAt: world.clock.now(),
    })
    receiver.answer(status(200))
    await world.deliverDue()
    expect(receiver.received).toHaveLength(3)
    expect(await world.deliveryRow(delivery.id)).toMatchObject({
      state: 'delivered',
      manualRequested: false,
      nextAttemptAt: null,
      manualAttempts: 2,
    })
  })

  it('is refused for a disabled or deleted endpoint, and for what is no delivery', async () => {
    const { delivery } = await pending()
    await patchEndpoint(world.deps, delivery.endpointId, { enabled: false })
    await expect(redeliver(world.deps, delivery.id)).rejects.toMatchObject({ code: 'conflict' })
    for (const id of [delivery.endpointId, 'nonsense'])
      await expect(redeliver(world.deps, id)).rejects.toMatchObject({ code: 'not_found' })
  })
})

/** An endpoint with one pending delivery. */
async function pending(answer = status(200)) {
  const receiver = await world.receiver(answer)
  const endpoint = await world.endpoint({ url: receiver.url })
  await world.event()
  return { receiver, delivery: only(await world.deliveriesOf(endpoint.id)) }
}

/** A process makes its attempts, and is killed before it records them. */
async function crash(): Promise<void> {
  const process = serving(world.deps)
  for (const item of await process.begin()) await process.act(item)
}

function httpDateIn(ms: number): string {
  return new Date(world.clock.now().getTime() + ms).toUTCString()
}
