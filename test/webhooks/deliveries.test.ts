import { describe, expect, it } from 'vitest'
import { newId } from '../../src/base/ids.ts'
import { listAttempts, listDeliveries } from '../../src/webhooks/deliveries/read.ts'
import { status } from './receiver.ts'
import { useWebhookWorld } from './world.ts'

const world = useWebhookWorld()

describe('the log of deliveries', () => {
  it('pages through deliveries, newest first, by endpoint, event, import and state', async () => {
    const receiver = await world.receiver()
    const endpoint = await world.endpoint({ url: receiver.url })
    const other = await world.endpoint({ url: receiver.url, types: ['import.lost'] })
    const { importId } = await world.import({ connection: 'logged' })
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
        state: 'delivered',
        attempts: 1,
        nextAttemptAt: null,
        deliveredAt: world.clock.now().toISOString(),
      },
    ])
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
