import { and, eq } from 'drizzle-orm'
import { afterEach, describe, expect, it } from 'vitest'
import { after as later } from '../../src/base/clock.ts'
import { deliveries, events } from '../../src/db/schema/index.ts'
import { redeliver } from '../../src/webhooks/deliveries/redeliver.ts'
import { enableEndpoint, patchEndpoint } from '../../src/webhooks/endpoints/patch.ts'
import { recoverEndpoint } from '../../src/webhooks/endpoints/recover.ts'
import { removeEndpoint } from '../../src/webhooks/endpoints/remove.ts'
import { replayEndpoint } from '../../src/webhooks/endpoints/replay.ts'
import { windowSchema } from '../../src/webhooks/endpoints/resend.ts'
import { only } from '../support/only.ts'
import { useDelivering } from '../support/worlds/delivering.ts'
import { someEvent } from '../support/worlds/events.ts'
import { status } from './receiver.ts'

const world = useDelivering()
const day = 86_400_000
const input = (fields: { since?: Date; until?: Date; dryRun?: boolean } = {}) =>
  windowSchema.parse(JSON.parse(JSON.stringify(fields)))
const recover = (id: string, fields?: Parameters<typeof input>[0]) => recoverEndpoint(world.deps, id, input(fields))
const replay = (id: string, fields?: Parameters<typeof input>[0]) => replayEndpoint(world.deps, id, input(fields))

afterEach(() => world.db.execute('TRUNCATE delivery_attempts, deliveries, events'))

describe('recovering', () => {
  it('delivers what is exhausted and what waits for a retry, with the same id and bytes', async () => {
    const { receiver, id } = await receiving(status(500))
    const eventIds = [await world.event(), await world.event(), await world.event()]
    await world.deliverDue()
    await exhaust(id, eventIds[0])
    await markDelivered(id, eventIds[1])
    receiver.answer(status(200))
    expect(await recover(id)).toEqual({ count: 2, more: false, dryRun: false })
    await world.deliverDue()
    expect(await states(id)).toEqual(['delivered', 'delivered', 'delivered'])
    const byEvent = Map.groupBy(receiver.received, ({ headers }) => headers['webhook-id'])
    for (const eventId of [eventIds[0], eventIds[2]])
      expect(new Set(byEvent.get(eventId)?.map(({ body }) => body))).toHaveLength(1)
  })

  it('is done once, where it is asked for twice at the same moment', async () => {
    const { id } = await receiving(status(200))
    for (let count = 0; count < 3; count++) await exhaust(id, await world.event())
    const counts = await Promise.all([recover(id), recover(id)])
    expect(counts.map(({ count }) => count).toSorted()).toEqual([0, 3])
  })

  it('leaves alone what was delivered, is due already or is being delivered', async () => {
    const { id } = await receiving(status(200))
    await world.event()
    await world.deliverDue()
    await world.event() // due
    await exhaust(id, await world.event(), { nextAttemptAt: world.clock.now(), manualRequested: true }) // somebody asked for it
    expect(await recover(id, { dryRun: true })).toMatchObject({ count: 0 })
  })

  it('begins the schedule anew: twelve attempts, and the numbers go on', async () => {
    const { id } = await receiving(status(500))
    await world.event()
    await world.deliverDue()
    await redeliver(world.deps, only(await world.deliveriesOf(id)).id)
    await world.deliverDue()
    await recover(id)
    await world.deliverDue()
    const delivery = only(await world.deliveriesOf(id))
    expect(delivery).toMatchObject({ state: 'pending', attempts: 1, manualAttempts: 0, earlierAttempts: 2 })
    expect(delivery.nextAttemptAt).toEqual(later(world.clock.now(), 5_000))
    expect((await world.attemptsOf(delivery.id)).map(({ number, manual }) => [number, manual])).toEqual([
      [1, false],
      [2, true],
      [3, false],
    ])
  })

  it('counts blocked addresses from the beginning, too', async () => {
    const { id } = await receiving()
    await world.db.execute(`UPDATE webhook_endpoints SET url = 'http://10.0.0.1/' WHERE id = '${id}'`)
    await world.event()
    for (let attempt = 1; attempt <= 4; attempt += 1) {
      await world.deliverDue()
      world.clock.advance(120_000)
    }
    expect(await states(id)).toEqual(['exhausted'])
    await recover(id)
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      world.clock.advance(240_000)
      await world.deliverDue()
      expect(await states(id)).toEqual(['pending'])
    }
  })

  it('takes what was to be delivered between two times', async () => {
    const { id } = await receiving(status(500))
    const times: Date[] = []
    for (let count = 0; count < 3; count += 1) {
      await world.event()
      times.push(world.clock.now())
      world.clock.advance(60_000)
    }
    await exhaust(id)
    const [first = new Date(), second = new Date(), third = new Date()] = times
    const count = async (fields: { since?: Date; until?: Date }) =>
      (await recover(id, { ...fields, dryRun: true })).count
    expect(await count({})).toBe(3)
    expect(await count({ since: second })).toBe(2)
    expect(await count({ until: third })).toBe(2)
    expect(await count({ since: second, until: third })).toBe(1)
    expect(await count({ since: later(first, 1), until: second })).toBe(0)
    expect(await recover(id, { since: second, until: third })).toMatchObject({ count: 1 })
    expect(await states(id)).toEqual(['exhausted', 'pending', 'exhausted'])
    await expect(recover(id, { since: second, until: second })).rejects.toMatchObject({ errors: [{ field: 'until' }] })
  })

  it('takes ten thousand a call, and says that there are more', async () => {
    const { id } = await receiving()
    await manyEvents(id, 10_001)
    expect(await recover(id, { dryRun: true })).toEqual({ count: 10_000, more: true, dryRun: true })
    expect(await recover(id)).toEqual({ count: 10_000, more: true, dryRun: false })
    expect(await recover(id)).toEqual({ count: 1, more: false, dryRun: false })
    expect(await recover(id)).toEqual({ count: 0, more: false, dryRun: false })
  })
})

describe('replaying', () => {
  it('delivers what was skipped while the endpoint was disabled', async () => {
    const { receiver, id } = await receiving()
    await world.event()
    await patchEndpoint(world.deps, id, { enabled: false }) // skips that one as well
    await world.event()
    await enableEndpoint(world.deps, id)
    expect(await replay(id, { dryRun: true })).toEqual({ count: 2, more: false, dryRun: true })
    expect(await world.deliverDue()).toEqual([])
    expect(await replay(id)).toEqual({ count: 2, more: false, dryRun: false })
    await world.deliverDue()
    expect(receiver.received).toHaveLength(2)
    expect(await states(id)).toEqual(['delivered', 'delivered'])
    expect(await replay(id)).toMatchObject({ count: 0 })
  })

  it('delivers what happened before the endpoint was there, once', async () => {
    const since = world.clock.now()
    world.clock.set(new Date()) // ids of events are made by the system's clock
    const eventId = await world.event()
    const { receiver, id } = await receiving()
    const [one, two] = await Promise.all([replay(id, { since }), replay(id, { since })])
    expect([one.count, two.count]).toContain(1)
    expect(only(await world.deliveriesOf(id))).toMatchObject({ eventId, state: 'pending' })
    await world.deliverDue()
    expect(only(receiver.received).headers['webhook-id']).toBe(eventId)
  })

  it('delivers only what the endpoint wants: by type, connection, provider and metadata', async () => {
    world.clock.set(new Date())
    const since = world.clock.now()
    const { id: connectionId } = await world.connection({ name: 'replayed' })
    const { id: importId } = await world.import({ connectionId, metadata: { team: 'data' } })
    const ofImport = { importId, connectionId }
    await world.event({ ...ofImport, type: 'import.queued' })
    await world.event({ ...ofImport, type: 'import.lost' })
    await world.event({ type: 'connection.paused', connectionId, connectionName: 'replayed' })
    const replayed = async (filter: object) => {
      const { id } = await receiving(status(204), filter)
      await replay(id, { since })
      return (await world.eventTypesTo(id)).toSorted()
    }
    const types = ['import.queued', 'import.lost', 'connection.paused']
    expect(await replayed({ types })).toEqual(['connection.paused', 'import.lost', 'import.queued'])
    expect(await replayed({ types: ['import.lost'] })).toEqual(['import.lost'])
    expect(await replayed({ types, connections: ['replayed'], providers: ['cdq'] })).toHaveLength(3)
    expect(await replayed({ types, providers: ['micro'] })).toEqual([])
    expect(await replayed({ types, metadata: { team: 'data' } })).toEqual(['import.lost', 'import.queued'])
    expect(await replayed({ types, metadata: { team: 'other' } })).toEqual([])
  })

  it('leaves what failed to recovering, and the trouble of the endpoint itself alone', async () => {
    const { id } = await receiving(status(410), {
      types: ['import.succeeded', 'endpoint.disabled', 'delivery.exhausted'],
    })
    await world.event()
    await world.deliverDue()
    await enableEndpoint(world.deps, id)
    expect(await replay(id, { since: new Date() })).toMatchObject({ count: 0 })
  })

  it('takes ten thousand a call, and says that there are more', async () => {
    world.clock.set(new Date())
    const since = world.clock.now()
    const { id } = await receiving()
    await patchEndpoint(world.deps, id, { enabled: false })
    for (let count = 0; count < 2; count += 1)
      await world.db.insert(events).values(Array.from({ length: 5_000 }, () => anEvent()))
    await world.event()
    await enableEndpoint(world.deps, id)
    expect(await replay(id, { since })).toEqual({ count: 10_000, more: true, dryRun: false })
    expect(await replay(id, { since })).toEqual({ count: 1, more: false, dryRun: false })
  })
})

describe('both', () => {
  it('let first attempts go before', async () => {
    const { receiver, id } = await receiving()
    await manyEvents(id, 20)
    await recover(id)
    const eventId = await world.event()
    await world.deliverDue()
    expect(receiver.received.map(({ headers }) => headers['webhook-id'])).toContain(eventId)
  })

  it('are refused while the endpoint is disabled, but can be counted', async () => {
    const { id } = await receiving()
    await world.event()
    await patchEndpoint(world.deps, id, { enabled: false })
    for (const resend of [recover, replay]) await expect(resend(id)).rejects.toMatchObject({ code: 'conflict' })
    expect(await replay(id, { dryRun: true })).toMatchObject({ count: 1 })
    await removeEndpoint(world.deps, id)
    for (const resend of [recover, replay])
      for (const unknown of [id, 'nonsense'])
        await expect(resend(unknown, { dryRun: true })).rejects.toMatchObject({ code: 'not_found' })
  })

  it('look no further back than the log is kept', async () => {
    const { id } = await receiving()
    await world.event()
    await exhaust(id)
    world.clock.advance(30 * day)
    expect(await recover(id, { since: new Date(0), dryRun: true })).toMatchObject({ count: 1 })
    world.clock.advance(1)
    expect(await recover(id, { since: new Date(0), dryRun: true })).toMatchObject({ count: 0 })
  })
})

async function receiving(answer = status(200), filter: object = {}) {
  const receiver = await world.receiver(answer)
  const { id } = await world.endpoint({ ...filter, url: receiver.url })
  return { receiver, id }
}

const states = async (id: string) => (await world.deliveriesOf(id)).map(({ state }) => state)

/** Ends a delivery, or all of the endpoint, without any attempt. */
const ended =
  (end: Partial<typeof deliveries.$inferInsert>) =>
  (id: string, eventId: string | null = null, columns: typeof end = {}) =>
    world.db
      .update(deliveries)
      .set({ nextAttemptAt: null, ...end, ...columns })
      .where(and(eq(deliveries.endpointId, id), eventId === null ? undefined : eq(deliveries.eventId, eventId)))
const exhaust = ended({ state: 'exhausted', attempts: 12 })
const markDelivered = ended({ state: 'delivered' })

function anEvent() {
  return { type: 'import.succeeded', occurredAt: someEvent(world.clock).occurredAt, body: '{}' }
}

/** Exhausted deliveries of as many events. */
async function manyEvents(id: string, count: number): Promise<void> {
  for (let left = count; left > 0; left -= 5_000) {
    const exhausted = { endpointId: id, state: 'exhausted', attempts: 12, nextAttemptAt: null }
    await world.deliveries(Array.from({ length: Math.min(left, 5_000) }, () => exhausted))
  }
}
