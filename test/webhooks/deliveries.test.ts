import { describe, expect, it } from 'vitest'
import { newId } from '../../src/base/ids.ts'
import { type DeliveryFilter, getDelivery, listAttempts, listDeliveries } from '../../src/webhooks/deliveries/read.ts'
import { useDelivering } from '../support/worlds/delivering.ts'
import { status } from './receiver.ts'

const world = useDelivering()

describe('the log of deliveries', () => {
  it('pages through deliveries, newest first, by endpoint, event, import and state', async () => {
    const receiver = await world.receiver()
    const endpoint = await world.endpoint({ url: receiver.url })
    const other = await world.endpoint({ url: receiver.url, types: ['import.lost'] })
    const { id: importId } = await world.import()
    const eventIds: string[] = []
    for (const event of [{}, { importId }, { type: 'import.lost' as const }]) {
      eventIds.push(await world.event(event))
      world.clock.advance(1)
    }

    const first = await listDeliveries(world.deps, { endpointId: endpoint.id, limit: 2 })
    const second = await listDeliveries(world.deps, { endpointId: endpoint.id, limit: 2, after: first.next ?? '' })
    expect([...first.data, ...second.data].map(({ eventId }) => eventId)).toEqual([...eventIds].reverse())
    expect(second.next).toBeNull()

    const lost = await listDeliveries(world.deps, { eventId: eventIds[2], limit: 9 })
    expect(lost.data.map(({ endpointId }) => endpointId).sort()).toEqual([endpoint.id, other.id].sort())
    expect(lost.data[0]?.type).toBe('import.lost')
    expect((await listDeliveries(world.deps, { importId, limit: 9 })).data.map(({ eventId }) => eventId)).toEqual([
      eventIds[1],
    ])

    await world.deliverDue()
    expect((await listDeliveries(world.deps, { endpointId: other.id, state: 'pending', limit: 9 })).data).toEqual([])
    expect((await listDeliveries(world.deps, { endpointId: other.id, state: 'delivered', limit: 9 })).data).toEqual([
      {
        id: expect.any(String),
        eventId: eventIds[2],
        endpointId: other.id,
        type: 'import.lost',
        createdAt: expect.any(String),
        state: 'delivered',
        attempts: 1,
        nextAttemptAt: null,
        deliveredAt: world.clock.now().toISOString(),
      },
    ])
  })

  it('finds deliveries by type, by the status of the last attempt, and by time', async () => {
    const receiver = await world.receiver(status(500))
    const endpoint = await world.endpoint({ url: receiver.url, types: ['import.lost', 'import.failed'] })
    const find = async (filter: DeliveryFilter) =>
      (await listDeliveries(world.deps, { endpointId: endpoint.id, ...filter, limit: 9 })).data.map(({ type }) => type)
    await world.event({ type: 'import.lost' })
    expect(await find({ status: 'none' })).toEqual([]) // before any attempt
    await world.deliverDue()
    world.clock.advance(10)
    receiver.answer(status(204))
    const between = world.clock.now()
    await world.event({ type: 'import.failed' })
    await world.deliverDue()
    expect(await find({ type: 'import.lost' })).toEqual(['import.lost'])
    expect(await find({ status: '5xx' })).toEqual(['import.lost'])
    expect(await find({ status: '2xx' })).toEqual(['import.failed'])
    expect(await find({ createdAfter: between })).toEqual(['import.failed'])
    expect(await find({ createdBefore: between })).toEqual(['import.lost'])
    receiver.answer((response) => response.destroy())
    world.clock.advance(60_000)
    await world.deliverDue()
    expect(await find({ status: 'none' })).toEqual(['import.lost'])
    expect(await find({ status: '5xx' })).toEqual([])
  })

  it('shows the body and the headers of the last attempt, with what its owner added masked', async () => {
    const receiver = await world.receiver()
    await world.endpoint({ url: receiver.url, headers: { 'X-Key': 'private value' } })
    const eventId = await world.event()
    const list = await listDeliveries(world.deps, { eventId, limit: 1 })
    const id = list.data[0]?.id ?? ''
    const before = await getDelivery(world.deps, id)
    expect(before.headers).not.toHaveProperty('webhook-signature')
    await world.deliverDue()
    const [request] = receiver.received
    const shown = await getDelivery(world.deps, id)
    expect(shown.payload).toBe(request?.body)
    const sent = Object.fromEntries(
      Object.keys(shown.headers).map((name) => [name.toLowerCase(), request?.headers[name.toLowerCase()]]),
    )
    expect(sent['x-key']).toBe('private value')
    expect(shown.headers).toEqual({ ...sent, 'x-key': undefined, 'X-Key': '********' })
    await expect(getDelivery(world.deps, newId())).rejects.toMatchObject({ code: 'not_found' })
  })

  it('shows the attempts in their order', async () => {
    const receiver = await world.receiver(status(503, {}, 'busy'))
    const endpoint = await world.endpoint({ url: receiver.url })
    await world.event()
    const firstAt = world.clock.now()
    await world.deliverDue()
    receiver.answer(status(200))
    world.clock.advance(5_000)
    await world.deliverDue()
    const [delivery] = (await listDeliveries(world.deps, { endpointId: endpoint.id, limit: 1 })).data
    const first = await listAttempts(world.deps, delivery?.id ?? '', { limit: 1 })
    const second = await listAttempts(world.deps, delivery?.id ?? '', { limit: 1, after: first.next ?? '' })
    expect(first.data).toEqual([
      {
        number: 1,
        manual: false,
        startedAt: firstAt.toISOString(),
        durationMs: 0,
        outcome: 'http_error',
        status: 503,
        errorCode: null,
        responseSnippet: 'busy',
      },
    ])
    expect(second).toMatchObject({ data: [{ number: 2, outcome: 'delivered' }], next: null })
  })

  it('has no attempts of what is no delivery', async () => {
    for (const id of [newId(), 'nonsense'])
      await expect(listAttempts(world.deps, id, { limit: 1 })).rejects.toMatchObject({ code: 'not_found' })
  })
})
