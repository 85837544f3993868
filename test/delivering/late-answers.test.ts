import { eq } from 'drizzle-orm'
import { expect, it, vi } from 'vitest'
import { after } from '../../src/base/clock.ts'
import { webhookEndpoints } from '../../src/db/schema/index.ts'
import { enableEndpoint, patchEndpoint } from '../../src/webhooks/endpoints/patch.ts'
import { replayEndpoint } from '../../src/webhooks/endpoints/replay.ts'
import { leaseMs } from '../../src/work/leases.ts'
import { serving } from '../support/delivering.ts'
import { only } from '../support/only.ts'
import { useDelivering } from '../support/worlds/delivering.ts'
import { status } from '../webhooks/receiver.ts'

const world = useDelivering()

it.each([410, 429, 500])('a %i from where the endpoint was says nothing of where it is', async (code) => {
  const elsewhere = await world.receiver()
  const { id, delivery, receiver } = await pending()
  receiver.answer(async (response, request) => {
    world.clock.advance(1)
    await patchEndpoint(world.deps, id, { url: elsewhere.url })
    status(code)(response, request)
  })
  await world.deliverDue()
  expect(await world.endpointRow(id)).toMatchObject({ disabledAt: null, blockedUntil: null, failures: 0 })
  expect(await world.deliveryRow(delivery.id)).toMatchObject({ state: 'pending', attempts: 1 })
  world.clock.advance(5_000)
  await world.deliverDue()
  expect(only(elsewhere.received).headers['webhook-id']).toBe(delivery.eventId)
})

it('a 200 from where the endpoint was is a delivery, and does not say that it has recovered where it is', async () => {
  const elsewhere = await world.receiver(status(500))
  const { id, delivery, receiver } = await pending()
  const failingSince = after(world.clock.now(), -120_000)
  const failing = { failures: 5, firstFailureAt: failingSince, failingSince, nextProbeAt: world.clock.now() }
  await world.db.update(webhookEndpoints).set(failing).where(eq(webhookEndpoints.id, id))
  receiver.answer(async (response, request) => {
    world.clock.advance(1)
    await patchEndpoint(world.deps, id, { url: elsewhere.url })
    status(200)(response, request)
  })
  expect(only(await world.deliverDue())).toMatchObject({ endpointChange: null })
  expect(await world.endpointRow(id)).toMatchObject({ failures: 5, failingSince, lastSuccessAt: null })
  expect(await world.deliveryRow(delivery.id)).toMatchObject({ state: 'delivered' })
})

it.each([
  [500, { state: 'pending', attempts: 2 }],
  [200, { state: 'delivered', nextAttemptAt: null }],
])('a %i after its lease leaves the attempt that has begun since then alone', async (code, expected) => {
  const { delivery, receiver } = await pending()
  const answers: (() => void)[] = []
  receiver.answer((response, request) => answers.push(() => status(code)(response, request)))
  const begin = async (number: number) => {
    const process = serving(world.deps)
    const item = only(await process.begin())
    const made = process.act(item).then((one) => process.record(one === 'aborted' ? [] : [one]))
    await vi.waitFor(() => expect(answers).toHaveLength(number))
    return { made }
  }
  const first = await begin(1)
  world.clock.advance(leaseMs)
  const second = await begin(2)
  const { nextAttemptAt } = await world.deliveryRow(delivery.id)

  answers[0]?.()
  await first.made
  expect(await world.deliveryRow(delivery.id)).toMatchObject({ nextAttemptAt, ...expected })
  answers[1]?.()
  await second.made
  const nextDue = code === 200 ? null : after(world.clock.now(), 30_000)
  expect(await world.deliveryRow(delivery.id)).toMatchObject({ ...expected, nextAttemptAt: nextDue })
  expect((await world.attemptsOf(delivery.id)).map(({ status }) => status)).toEqual([code, code])
})

it('an attempt that fails after its endpoint was disabled, enabled and replayed is tried again', async () => {
  world.clock.set(new Date()) // ids of events are made by the system's clock
  const since = world.clock.now().toISOString()
  const { id, delivery, receiver } = await pending()
  const answers: (() => void)[] = []
  receiver.answer((response, request) => answers.push(() => status(500)(response, request)))
  const delivering = world.deliverDue()
  await vi.waitFor(() => expect(answers).toHaveLength(1))
  await patchEndpoint(world.deps, id, { enabled: false })
  await enableEndpoint(world.deps, id)
  expect(await replayEndpoint(world.deps, id, { since, dryRun: false })).toMatchObject({ count: 1 })
  answers[0]?.()
  await delivering
  expect(await world.deliveryRow(delivery.id)).toMatchObject({
    state: 'pending',
    nextAttemptAt: after(world.clock.now(), 5_000),
  })
})

async function pending() {
  const receiver = await world.receiver()
  const { id } = await world.endpoint({ url: receiver.url })
  await world.event()
  return { id, receiver, delivery: only(await world.deliveriesOf(id)) }
}
