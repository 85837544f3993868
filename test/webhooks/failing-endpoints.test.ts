import { describe, expect, it } from 'vitest'
import { listEvents } from '../../src/events/feed.ts'
import { type EventType, eventTypes } from '../../src/model/event-types.ts'
import { deliverySchema } from '../../src/webhooks/deliveries/present.ts'
import { redeliver } from '../../src/webhooks/deliveries/redeliver.ts'
import { enableEndpoint, patchEndpoint } from '../../src/webhooks/endpoints/patch.ts'
import { endpointSchema } from '../../src/webhooks/endpoints/present.ts'
import { getEndpoint } from '../../src/webhooks/endpoints/read.ts'
import { testEndpoint } from '../../src/webhooks/endpoints/send-test.ts'
import { serving } from '../support/delivering.ts'
import { only } from '../support/only.ts'
import { useDelivering } from '../support/worlds/delivering.ts'
import { type Answer, status } from './receiver.ts'

const world = useDelivering()
const minute = 60_000
const day = 24 * 60 * minute
const operational = eventTypes.filter((type) => /^(endpoint|delivery)\./.test(type))

describe('an endpoint that fails five times in a row', () => {
  it('gets one delivery a minute; the others wait without using up attempts', async () => {
    const { receiver, id } = await failing()
    const waiting = [await world.event(), await world.event()]
    expect(await world.deliverDue()).toEqual([])
    world.clock.advance(minute - 3)
    expect(await world.deliverDue()).toEqual([])
    world.clock.advance(1)
    expect(await world.deliverDue()).toHaveLength(1)
    expect(await world.deliverDue()).toEqual([])
    world.clock.advance(2 * minute)
    expect(await world.deliverDue()).toHaveLength(1)
    expect(receiver.received).toHaveLength(7)
    const attempts = (await world.deliveriesOf(id)).filter(({ eventId }) => waiting.includes(eventId))
    expect(attempts.map((delivery) => delivery.attempts).reduce((sum, count) => sum + count)).toBeLessThanOrEqual(2)
  })

  it('gets all of them again after a success', async () => {
    const { receiver, id } = await failing()
    for (let count = 0; count < 3; count += 1) await world.event()
    receiver.answer(status(200))
    world.clock.advance(minute)
    expect(await world.deliverDue()).toHaveLength(1)
    expect(await getEndpoint(world.deps, id)).toMatchObject({
      failingSince: null,
      nextProbeAt: null,
      lastSuccessAt: world.clock.now().toISOString(),
    })
    expect(await world.deliverDue()).toHaveLength(5)
  })

  it('is shown as failing', async () => {
    const { id } = await failing()
    const since = world.clock.now()
    expect(await getEndpoint(world.deps, id)).toMatchObject({
      enabled: true,
      failingSince: since.toISOString(),
      nextProbeAt: new Date(since.getTime() + minute).toISOString(),
    })
  })

  it('gets at once what somebody asks for, and a success of that closes the breaker', async () => {
    const { receiver, id } = await failing()
    receiver.answer(status(200))
    const [delivery] = await world.deliveriesOf(id)
    await redeliver(world.deps, delivery?.id ?? '')
    expect(only(await world.deliverDue())).toMatchObject({ endpointChange: 'recovered' })
  })

  it.each([
    ['enabled', (id: string) => enableEndpoint(world.deps, id)],
    ['given another URL', (id: string) => patchEndpoint(world.deps, id, { url: 'http://127.0.0.1:9/elsewhere' })],
  ])('is tried at once when it is %s', async (_what, change) => {
    const { id } = await failing()
    await world.event()
    expect(await world.deliverDue()).toEqual([])
    await change(id)
    expect((await world.deliverDue()).length).toBeGreaterThan(0)
  })

  it('is none that says how long to wait: it is left alone for as long, and no longer', async () => {
    const receiver = await world.receiver(status(429, { 'retry-after': '7' }))
    const { id } = await world.endpoint({ url: receiver.url })
    for (let count = 0; count < 6; count += 1) await world.event()
    expect(await world.deliverDue()).toHaveLength(5)
    const blockedUntil = new Date(world.clock.now().getTime() + 7_000).toISOString()
    expect(await getEndpoint(world.deps, id)).toMatchObject({ failingSince: null, blockedUntil })
    world.clock.advance(7_000)
    expect((await world.deliverDue()).length).toBeGreaterThan(1)
  })

  it('opens the breaker for what is served already', async () => {
    const receiver = await world.receiver(status(500))
    const { id } = await world.endpoint({ url: receiver.url })
    for (let count = 0; count < 6; count += 1) await world.event()
    const process = serving(world.deps)
    const made = await Promise.all((await process.begin()).map((item) => process.act(item)))
    expect(made).toHaveLength(5)
    await process.record(made.filter((one) => one !== 'aborted'))
    expect(await process.begin()).toEqual([])
    expect((await world.deliveriesOf(id)).at(-1)).toMatchObject({ state: 'pending', attempts: 0 })
  })
})

describe('an endpoint without a success', () => {
  it('is disabled after five days and ten failures; what was pending is skipped', async () => {
    const { id } = await failing()
    const since = world.clock.now().getTime()
    await world.event()
    while (world.clock.now().getTime() < since + 5 * day) {
      expect(await getEndpoint(world.deps, id)).toMatchObject({ enabled: true })
      world.clock.advance(6 * 60 * minute)
      await world.event()
      await world.deliverDue()
    }
    expect(await getEndpoint(world.deps, id)).toMatchObject({ enabled: false, disabledReason: 'failing' })
    expect((await world.deliveriesOf(id)).filter(({ state }) => state === 'pending')).toEqual([])
    expect(await enableEndpoint(world.deps, id)).toMatchObject({ enabled: true, failingSince: null })
    await world.event()
    await world.deliverDue()
    expect(await getEndpoint(world.deps, id)).toMatchObject({ enabled: true }) // its failures count from zero
  })

  it('is not disabled after nine', async () => {
    const { id } = await failing()
    world.clock.advance(6 * day)
    for (let failures = 6; failures <= 9; failures += 1) {
      await world.event()
      await world.deliverDue()
      world.clock.advance(day)
    }
    expect(await getEndpoint(world.deps, id)).toMatchObject({ enabled: true })
    await world.event()
    expect(only(await world.deliverDue())).toMatchObject({ endpointChange: 'disabled' })
  })
})

describe('other endpoints', () => {
  it('are told that one is failing, and that it has recovered: once each', async () => {
    const watcher = await watching()
    const { receiver, id } = await failing()
    await world.deliverDue()
    expect(only(watcher.events())).toMatchObject({
      type: 'endpoint.failing',
      data: { id, failingSince: world.clock.now().toISOString() },
    })
    world.clock.advance(minute)
    await world.event()
    await world.deliverDue()
    receiver.answer(status(200))
    world.clock.advance(2 * minute)
    await world.deliverDue()
    await world.deliverDue()
    expect(watcher.types()).toEqual(['endpoint.failing', 'endpoint.recovered'])
    expect(watcher.events()[1]).toMatchObject({ data: { id, failingSince: null, enabled: true } })
  })

  it.each<[string, (id: string) => Promise<unknown>]>([
    ['gone', async () => world.deliverDue()],
    ['manual', (id) => patchEndpoint(world.deps, id, { enabled: false })],
  ])('are told that one is disabled: %s', async (disabledReason, disable) => {
    const watcher = await watching({ types: ['endpoint.disabled'] })
    const { id } = await world.endpoint({ url: (await world.receiver(status(410))).url })
    await world.event()
    await disable(id)
    await patchEndpoint(world.deps, id, { enabled: false }) // it is already
    await world.deliverDue()
    expect(only(watcher.events())).toMatchObject({ data: { id, enabled: false, disabledReason } })
    endpointSchema.parse(only(watcher.events()).data)
  })

  it('are told of the last attempt: the delivery with its endpoint', async () => {
    const watcher = await watching({ types: ['delivery.exhausted'] })
    const { id } = await world.endpoint({ url: (await world.receiver(status(410))).url })
    const eventId = await world.event()
    await world.deliverDue()
    await world.deliverDue()
    const { data } = only(watcher.events())
    expect(data).toMatchObject({ eventId, state: 'exhausted', attempts: 1, nextAttemptAt: null, endpoint: { id } })
    deliverySchema.extend({ endpoint: endpointSchema }).strict().parse(data)
  })

  it('are not told again when an attempt that somebody asked for fails', async () => {
    const watcher = await watching({ types: ['delivery.exhausted'] })
    const { id } = await world.endpoint({ url: (await world.receiver(status(410))).url })
    await world.event()
    await world.deliverDue()
    await enableEndpoint(world.deps, id)
    await redeliver(world.deps, only(await world.deliveriesOf(id)).id)
    await world.deliverDue()
    await world.deliverDue()
    expect(watcher.types()).toEqual(['delivery.exhausted'])
  })

  it('are told nothing where they ask for chosen connections, since it is of none', async () => {
    await world.connection({ name: 'chosen' })
    const watcher = await watching({ connections: ['chosen'] })
    await failing()
    await world.deliverDue()
    expect(watcher.types()).toEqual([])
  })
})

describe('the feed of events', () => {
  it('shows the trouble of endpoints', async () => {
    world.clock.set(new Date()) // ids of events are made by the system's clock
    const { receiver, id } = await failing()
    receiver.answer(status(410))
    world.clock.advance(minute)
    await world.event()
    await world.deliverDue()
    const { data } = await listEvents(world.deps, { limit: 1_000 })
    const about = data.filter((event) => event.data.id === id || event.data.endpointId === id)
    expect(about.map(({ type, importId }) => [type, importId])).toEqual([
      ['endpoint.failing', null],
      ['delivery.exhausted', null],
      ['endpoint.disabled', null],
    ])
  })
})

describe('trouble with telling of trouble', () => {
  it('is never told to the endpoint that has it', async () => {
    const { id } = await failing({ types: [...operational, 'import.succeeded'] })
    await patchEndpoint(world.deps, id, { enabled: false })
    await enableEndpoint(world.deps, id)
    expect(new Set((await world.deliveriesOf(id)).map((delivery) => delivery.eventId)).size).toBe(5)
  })

  it('ends: two endpoints that are gone tell each other nothing about telling each other', async () => {
    const gone = await Promise.all([1, 2].map(() => watching({ types: operational }, status(500))))
    const { id } = await world.endpoint({ url: (await world.receiver(status(410))).url })
    await world.event()
    await world.deliverDue() // endpoint.disabled and delivery.exhausted, to both
    for (const watcher of gone) watcher.receiver.answer(status(410))
    for (let count = 0; count < 5; count += 1) await world.deliverDue()
    expect(await getEndpoint(world.deps, id)).toMatchObject({ enabled: false })
    for (const watcher of gone) {
      expect(await getEndpoint(world.deps, watcher.id)).toMatchObject({ enabled: false })
      const told = await world.eventTypesTo(watcher.id)
      expect(told.filter((type) => type === 'delivery.exhausted')).toHaveLength(1)
      expect(told.filter((type) => type === 'endpoint.disabled').length).toBeLessThanOrEqual(2)
    }
  })

  it('is none when many endpoints are gone at once and each is to be told of the others', async () => {
    const receiver = await world.receiver(status(410))
    const ids = []
    for (let count = 0; count < 8; count += 1)
      ids.push((await world.endpoint({ url: receiver.url, types: ['import.succeeded', 'endpoint.disabled'] })).id)
    await world.event()
    expect((await world.deliverDue()).map((made) => made.kind)).toEqual(ids.map(() => 'attempted'))
    for (const id of ids) expect(await getEndpoint(world.deps, id)).toMatchObject({ disabledReason: 'gone' })
  })

  it('is no event of a test', async () => {
    const watcher = await watching({ types: ['delivery.exhausted'] })
    const { id } = await world.endpoint({ url: (await world.receiver(status(410))).url })
    await testEndpoint(world.deps, id)
    await world.deliverDue()
    await world.deliverDue()
    expect(watcher.types()).toEqual([])
  })
})

/** An endpoint of which five deliveries have just failed. */
async function failing(input: { types?: Exclude<EventType, 'webhook.test'>[] } = {}) {
  const receiver = await world.receiver(status(500))
  const { id } = await world.endpoint({ ...input, url: receiver.url })
  for (let count = 0; count < 5; count += 1) await world.event()
  await world.deliverDue()
  return { receiver, id }
}

/** An endpoint that is told of the others, and what it got, in order. */
async function watching(input: Parameters<typeof world.endpoint>[0] | object = {}, answer: Answer = status(204)) {
  const receiver = await world.receiver(answer)
  const { id } = await world.endpoint({ types: operational, ...input, url: receiver.url })
  const events = () =>
    receiver.received.map(({ body }) => JSON.parse(body) as { type: string; data: Record<string, unknown> })
  return { receiver, id, events, types: () => events().map(({ type }) => type) }
}
