import { describe, expect, it, vi } from 'vitest'
import { createLog } from '../../src/base/log.ts'
import { createDeliveryWorker } from '../../src/delivering/work.ts'
import { deleteImport } from '../../src/imports/delete.ts'
import type { Answer } from '../webhooks/receiver.ts'
import { only, useWebhookWorld } from '../webhooks/world.ts'

const world = useWebhookWorld()

/** A delivery of an import's event whose receiver has the request, and answers when it is told to. */
async function underWay(code: number, more: number = 0) {
  let respond = () => {}
  const answer: Answer = (response) => {
    respond = () => response.writeHead(code).end()
  }
  const receiver = await world.receiver(answer)
  const { id: endpointId } = await world.endpoint({ url: receiver.url })
  const ofImport = await world.import({ connection: `of-${endpointId}` })
  await world.event(ofImport)
  const delivering = world.deliverDue()
  await vi.waitUntil(() => receiver.received.length === 1)
  for (let others = 0; others < more; others += 1) await world.event()
  receiver.answer((response) => response.writeHead(204).end())
  const { id: deliveryId } = (await world.deliveriesOf(endpointId))[0] ?? { id: '' }
  return { ...ofImport, endpointId, deliveryId, delivering, respond: () => respond(), receiver }
}

describe('an import that is deleted while a delivery of its event is under way', () => {
  it.each([204, 410, 500])('leaves nothing, whatever the receiver answers: %i', async (code) => {
    const { importId, endpointId, deliveryId, delivering, respond } = await underWay(code)
    expect(await world.attemptsOf(deliveryId)).toMatchObject([{ outcome: 'in_flight' }])
    await deleteImport({ db: world.deps.db }, importId)
    respond()
    expect(await delivering).toMatchObject([{ kind: 'attempted', next: null }])
    expect(await world.deliveriesOf(endpointId)).toEqual([])
    expect(await world.attemptsOf(deliveryId)).toEqual([])
  })

  it('holds up nothing else that is due to the endpoint', async () => {
    const { importId, endpointId, delivering, respond, receiver } = await underWay(204, 3)
    await deleteImport({ db: world.deps.db }, importId)
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

  it('leaves nothing to a job that was enqueued before', async () => {
    const receiver = await world.receiver()
    const { id: endpointId } = await world.endpoint({ url: receiver.url })
    const ofImport = await world.import({ connection: `of-${endpointId}` })
    await world.event(ofImport)
    const { id: deliveryId } = only(await world.deliveriesOf(endpointId))
    await deleteImport({ db: world.deps.db }, ofImport.importId)
    const wake = Object.assign(() => {}, { listen() {} })
    const work = createDeliveryWorker({ ...world.deps, log: createLog('silent'), wake, observeDelivery() {} })
    await work({ deliveryId, number: 1, manual: false }, new AbortController().signal)
    expect(receiver.received).toEqual([])
  })
})
