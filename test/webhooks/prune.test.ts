import { eq, inArray } from 'drizzle-orm'
import { beforeEach, describe, expect, it } from 'vitest'
import { deliveries, deliveryAttempts, events } from '../../src/db/schema/index.ts'
import { redeliver } from '../../src/webhooks/deliveries/redeliver.ts'
import { rotateSecret } from '../../src/webhooks/endpoints/rotate-secret.ts'
import { deleteOld } from '../../src/webhooks/prune.ts'
import { only } from '../support/only.ts'
import { useDelivering } from '../support/worlds/delivering.ts'
import { status } from './receiver.ts'

const world = useDelivering()
const day = 86_400_000
const noSignal = new AbortController().signal
const maintain = (signal = noSignal) => deleteOld(world.deps, signal)

/** Ids of events are made by the system's clock. */
beforeEach(() => world.clock.set(new Date()))

describe('after 30 days', () => {
  it('deliveries and their attempts are gone, and events that are of no import', async () => {
    const { id } = await receiving()
    const { id: importId, connectionId } = await world.import()
    const ofImport = await world.event({ importId, connectionId })
    const ofNone = await world.event()
    await world.deliverDue()

    world.clock.advance(30 * day - 1_000)
    await maintain()
    expect(await world.deliveriesOf(id)).toHaveLength(2)
    world.clock.advance(10_000)
    await maintain()
    expect(await world.deliveriesOf(id)).toEqual([])
    expect(await left(ofImport, ofNone)).toEqual([ofImport]) // what an import went through stays
  })

  it('what is still to be delivered stays, with its event', async () => {
    const { id } = await receiving(status(500))
    const pending = await world.event()
    const asked = await world.event()
    await world.deliverDue()
    const [, second] = await world.deliveriesOf(id)
    await world.db
      .update(deliveries)
      .set({ state: 'exhausted', nextAttemptAt: null })
      .where(eq(deliveries.eventId, asked))
    await redeliver(world.deps, second?.id ?? '')
    world.clock.advance(31 * day)
    await maintain()
    expect((await world.deliveriesOf(id)).map(({ eventId }) => eventId)).toEqual([pending, asked])
    expect(await left(pending, asked)).toEqual([pending, asked])
  })

  it('thousands are gone as well, by several processes at once', async () => {
    const { id: endpointId } = await receiving()
    const skipped = { endpointId, state: 'skipped', nextAttemptAt: null }
    const written = await world.deliveries(Array.from({ length: 2_500 }, () => skipped))
    world.clock.advance(31 * day)
    await Promise.all([maintain(), maintain()])
    await maintain()
    expect(await world.deliveriesOf(endpointId)).toEqual([])
    expect(await left(...written.map(({ eventId }) => eventId))).toEqual([])
  })
})

describe('what receivers answered', () => {
  it('is gone after 7 days; the attempts stay', async () => {
    const { id } = await receiving(status(200, {}, 'thanks'))
    await world.event()
    await world.deliverDue()
    const snippet = async () => only(await world.attemptsOf(only(await world.deliveriesOf(id)).id)).responseSnippet
    world.clock.advance(7 * day)
    await maintain()
    expect(await snippet()).toBe('thanks')
    world.clock.advance(1)
    await maintain()
    expect(await snippet()).toBeNull()
  })
})

describe('a secret whose overlap is over', () => {
  it('is gone, and the others stay in their order', async () => {
    const { id } = await receiving()
    for (const overlapHours of [1, 3, 2]) await rotateSecret(world.deps, id, { overlapHours })
    const previous = async () => (await world.endpointRow(id)).previousSecrets
    const [newest, middle, oldest] = await previous()
    await maintain()
    expect(await previous()).toEqual([newest, middle, oldest])
    world.clock.advance(3_600_000)
    await maintain()
    expect(await previous()).toEqual([newest, middle])
    world.clock.advance(3_600_000)
    await maintain()
    expect(await previous()).toEqual([middle])
    world.clock.advance(3_600_000)
    await maintain()
    expect(await previous()).toEqual([])
  })
})

it('nothing more is deleted when it is told to stop', async () => {
  const { id } = await receiving(status(200, {}, 'thanks'))
  await world.event()
  await world.deliverDue()
  world.clock.advance(31 * day)
  await maintain(AbortSignal.abort())
  const [delivery] = await world.deliveriesOf(id)
  const attempts = await world.db
    .select()
    .from(deliveryAttempts)
    .where(eq(deliveryAttempts.deliveryId, delivery?.id ?? ''))
  expect(only(attempts).responseSnippet).toBe('thanks')
})

async function receiving(answer = status(200)) {
  return world.endpoint({ url: (await world.receiver(answer)).url })
}

/** Which of these events are still there. */
async function left(...ids: string[]): Promise<string[]> {
  const rows = await world.db.select({ id: events.id }).from(events).where(inArray(events.id, ids)).orderBy(events.id)
  return rows.map(({ id }) => id)
}
