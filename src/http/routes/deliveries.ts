// Owns the operations on the log of deliveries.
import type { Clock } from '../../base/clock.ts'
import type { Database } from '../../db/client.ts'
import { attemptSchema, deliverySchema } from '../../webhooks/deliveries/present.ts'
import { deliveryFilterSchema, listAttempts, listDeliveries } from '../../webhooks/deliveries/read.ts'
import { redeliver } from '../../webhooks/deliveries/redeliver.ts'
import type { Wake } from '../../work/wake.ts'
import { answer, type Operation, operation } from '../operation.ts'
import { idParams, pageQuery, pageSchema } from '../parameters.ts'

interface Deps {
  db: Database
  clock: Clock
  wake: Wake
}

const tag = 'Deliveries'

export function deliveryOperations(deps: Deps): Operation[] {
  return [
    operation({
      id: 'listDeliveries',
      method: 'get',
      path: '/v1/deliveries',
      scope: 'read',
      tag,
      summary: 'List deliveries, the newest first',
      query: pageQuery.extend(deliveryFilterSchema.shape),
      answers: { 200: { description: 'A page of deliveries.', schema: pageSchema(deliverySchema) } },
      handle: async ({ query }) => answer(200, await listDeliveries(deps, query)),
    }),

    operation({
      id: 'listDeliveryAttempts',
      method: 'get',
      path: '/v1/deliveries/{id}/attempts',
      scope: 'read',
      tag,
      summary: 'List the attempts at a delivery, the oldest first',
      params: idParams,
      query: pageQuery,
      answers: { 200: { description: 'A page of attempts.', schema: pageSchema(attemptSchema) } },
      handle: async ({ params, query }) => answer(200, await listAttempts(deps, params.id, query)),
    }),

    operation({
      id: 'redeliver',
      method: 'post',
      path: '/v1/deliveries/{id}/redeliver',
      scope: 'write',
      tag,
      summary: 'Deliver once more',
      description: 'Sends the same id and the same bytes. It uses up no automatic attempt.',
      params: idParams,
      answers: { 202: { description: 'The delivery. An attempt is due.', schema: deliverySchema } },
      problems: ['conflict'],
      async handle({ params }) {
        const delivery = await redeliver(deps, params.id)
        deps.wake(['deliver'])
        return answer(202, delivery)
      },
    }),
  ]
}
