import { describe, expect, it, vi } from 'vitest'
import { deleteImport } from '../../src/imports/delete.ts'
import { serving } from '../support/delivering.ts'
import { useDelivering } from '../support/worlds/delivering.ts'
import type { Answer } from '../webhooks/receiver.ts'

const world = useDelivering()

/** A delivery of an import's event whose receiver has the request, and answers when it is told to. */
async function underWay(code: number, more: number = 0) {
  let respond = () => {}
  const answer: Answer = (response) => {
    respond = () => response.writeHead(code).end()
  }
  const receiver = await world.receiver(answer)
  const { id: endpointId } = await world.endpoint({ url: receiver.url })
  const { id: importId, connectionId } = await world.import()
  await world.event({ importId, connectionId })
  const delivering = world.deliverDue()
  await vi.waitUntil(() => receiver.received.length === 1)
  for (let others = 0; others < more; others += 1) await world.event()
  receiver.answer((response) => response.writeHead(204).end())
  const { id: deliveryId } = (await world.deliveriesOf(endpointId))[0] ?? { id: '' }
  return { importId, endpointId, deliveryId, delivering, respond: () => respond(), receiver }
}

describe('an import that is deleted while a delivery of its event is under way', () => {
  it.each([204, 410, 500])('leaves nothing, whatever the receiver answers: %i', async (code) => {
    const { importId, endpointId, deliveryId, delivering, respond } = await underWay(code)
    expect(await world.attemptsOf(deliveryId)).toMatchObject([{ outcome: 'in_flight' }])
    await deleteImport(world, importId)
    respond()
    expect(await delivering).toMatchObject([{ kind: 'attempted' }])
    expect(await world.deliveriesOf(endpointId)).toEqual([])
    expect(await world.attemptsOf(deliveryId)).toEqual([])
  })

  it('holds up nothing else that is due to the endpoint', async () => {
    const { importId, endpointId, delivering, respond, receiver } = await underWay(204, 3)
    await deleteImport(world, importId)
    respond()
    await delivering
    await world.deliverDue()
    expect((await world.deliveriesOf(endpointId)).map(({ state }) => state)).toEqual([
      'delivered',
      'delivered',
      'delivered',
    ])
    expect(receiver.received).toHaveLength(4)
  })

  it('leaves nothing to whoever serves the endpoint already', async () => {
    const receiver = await world.receiver()
    await world.endpoint({ url: receiver.url })
    const { id: importId, connectionId } = await world.import()
    await world.event({ importId, connectionId })
    const process = serving(world.deps)
    expect(await process.beginOnce(0)).toEqual([])
    await deleteImport(world, importId)
    expect(await process.begin()).toEqual([])
    expect(receiver.received).toEqual([])
  })
})
