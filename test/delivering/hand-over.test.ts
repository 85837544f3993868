import { eq } from 'drizzle-orm'
import { describe, expect, it } from 'vitest'
import { deliveries } from '../../src/db/schema/index.ts'
import { deliver } from '../../src/delivering/deliver.ts'
import { redeliver } from '../../src/webhooks/deliveries/redeliver.ts'
import { recoverEndpoint } from '../../src/webhooks/endpoints/recover.ts'
import { claimAllDeliveries } from '../support/claim.ts'
import { type Answer, status } from '../webhooks/receiver.ts'
import { only, useWebhookWorld } from '../webhooks/world.ts'

const world = useWebhookWorld()
const signal = new AbortController().signal

describe('going on with an endpoint that took a delivery', () => {
  it('passes the lease to the one that is due for the longest, and to no more', async () => {
    const { id, claimed } = await claimedOf(7)
    const all = await world.deliveriesOf(id)
    const made = await goOn(claimed[0])
    expect(made).toMatchObject({ next: { id: all[5]?.id, number: 1 }, moreDue: false })
    expect(await leased(id)).toEqual(all.slice(1, 6).map((delivery) => delivery.id))
    const next = await goOn(all[5]?.id)
    expect(next).toMatchObject({ kind: 'attempted', next: { id: all[6]?.id } })
    expect(await goOn(all[6]?.id)).toMatchObject({ kind: 'attempted', next: null, moreDue: false })
    expect(await leased(id)).toHaveLength(4)
  })

  it('says that there is more, where nobody goes on', async () => {
    const { id, claimed } = await claimedOf(6)
    expect(await deliver(world.deps, claimed[0] ?? '', { manual: false, signal })).toMatchObject({
      next: null,
      moreDue: true,
    })
    expect(await leased(id)).toHaveLength(4)
  })

  it('goes from a first attempt to none but first attempts, and from a retry to a retry', async () => {
    const { id, claimed } = await claimedOf(6)
    const all = await world.deliveriesOf(id)
    await exhaustAndRecover(id, all[5]?.id)
    expect(await goOn(claimed[0])).toMatchObject({ next: null, moreDue: true })
    await world.deps.db
      .update(deliveries)
      .set({ isRetry: true })
      .where(eq(deliveries.id, claimed[1] ?? ''))
    expect(await goOn(claimed[1])).toMatchObject({ next: { id: all[5]?.id, number: 1 } })
  })

  it('does not go on from what somebody asked for, which keeps to no share of retries', async () => {
    const { id } = await claimedOf(0)
    for (let written = 0; written < 9; written += 1) await world.event()
    await world.deps.db.update(deliveries).set({ isRetry: true }).where(eq(deliveries.endpointId, id))
    for (const delivery of (await world.deliveriesOf(id)).slice(0, 5)) await redeliver(world.deps, delivery.id)
    const asked = await claimAllDeliveries(world.deps.db, world.clock.now())
    expect(asked.map(({ manual }) => manual)).toEqual(Array(5).fill(true))
    for (const { id: deliveryId, number } of asked)
      expect(await deliver(world.deps, deliveryId, { manual: true, number, signal, goOn: () => true })).toMatchObject({
        kind: 'attempted',
        next: null,
      })
    expect(await leased(id)).toEqual([])
  })

  it('leaves to the ticks what somebody asked for, and what is not due', async () => {
    const { id, claimed } = await claimedOf(7)
    const all = await world.deliveriesOf(id)
    await redeliver(world.deps, all[5]?.id ?? '')
    const nextAttemptAt = new Date(world.clock.now().getTime() + 1)
    await world.deps.db
      .update(deliveries)
      .set({ nextAttemptAt })
      .where(eq(deliveries.id, all[6]?.id ?? ''))
    expect(await goOn(claimed[0])).toMatchObject({ next: null, moreDue: false })
  })

  it.each([
    ['fails', status(500), {}],
    ['has failed before', status(200), { failures: 1 }],
    ['is disabled', status(200), { disabled_at: 'now()' }],
    ['has to wait', status(200), { blocked_until: `'2100-01-01'` }],
  ])('ends where it %s', async (_what, answer: Answer, columns) => {
    const { id, claimed, receiver } = await claimedOf(6)
    receiver.answer(async (response, request) => {
      for (const [column, value] of Object.entries(columns))
        await world.deps.db.execute(`UPDATE webhook_endpoints SET ${column} = ${value} WHERE id = '${id}'`)
      answer(response, request)
    })
    expect(await goOn(claimed[0])).toMatchObject({ kind: 'attempted', next: null })
    expect(await leased(id)).toHaveLength(4)
  })

  it('makes no two attempts at a delivery that a tick claims at the same moment', async () => {
    const { id, receiver, claimed } = await claimedOf(20)
    const made = await Promise.all(
      claimed.map(async (deliveryId) => {
        const [one, others] = await Promise.all([
          goOn(deliveryId),
          claimAllDeliveries(world.deps.db, world.clock.now()),
        ])
        return [one.kind === 'attempted' ? one.next?.id : null, ...others.map((delivery) => delivery.id)]
      }),
    )
    const taken = made.flat().filter((deliveryId) => deliveryId)
    expect(new Set(taken).size).toBe(taken.length)
    expect((await leased(id)).length).toBeLessThanOrEqual(5)
    expect(receiver.received).toHaveLength(5)
  })
})

/** An endpoint with this many due deliveries, of which a tick has leased five. */
async function claimedOf(count: number) {
  const receiver = await world.receiver()
  const { id } = await world.endpoint({ url: receiver.url })
  for (let written = 0; written < count; written += 1) await world.event()
  const claimed = await claimAllDeliveries(world.deps.db, world.clock.now())
  return { id, receiver, claimed: claimed.map((delivery) => delivery.id).toSorted() }
}

/** Makes an attempt, and is ready for another. */
function goOn(deliveryId = '') {
  return deliver(world.deps, deliveryId, { manual: false, signal, goOn: () => true })
}

async function leased(endpointId: string): Promise<string[]> {
  return (await world.deliveriesOf(endpointId)).flatMap(({ id, leaseUntil }) => (leaseUntil === null ? [] : [id]))
}

async function exhaustAndRecover(endpointId: string, id = '') {
  await world.deps.db.update(deliveries).set({ state: 'exhausted', nextAttemptAt: null }).where(eq(deliveries.id, id))
  expect(await recoverEndpoint(world.deps, endpointId, { dryRun: false })).toMatchObject({ count: 1 })
  expect(only((await world.deliveriesOf(endpointId)).filter(({ isRetry }) => isRetry)).id).toBe(id)
}
