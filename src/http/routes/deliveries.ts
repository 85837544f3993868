// Owns the operations on the log of deliveries.
import { z } from 'zod'
import type { Clock } from '../../base/clock.ts'
import type { Encryption } from '../../base/encryption.ts'
import type { Database } from '../../db/client.ts'
import { eventTypes } from '../../model/event-types.ts'
import {
  attemptSchema,
  deliverySchema,
  deliveryStates,
  wholeDeliverySchema,
} from '../../webhooks/deliveries/present.ts'
import { getDelivery, listAttempts, listDeliveries, statusClasses } from '../../webhooks/deliveries/read.ts'
import { redeliver } from '../../webhooks/deliveries/redeliver.ts'
import type { Wake } from '../../work/wake.ts'
import { answer, type Operation, operation } from '../operation.ts'
import { idParams, pageQuery, pageSchema, timeParam } from '../parameters.ts'

interface Deps {
  db: Database
  clock: Clock
  encryption: Encryption
  wake: Wake
}

const tag = 'Deliveries'

/** The query of a list of deliveries. */
export const deliveryQuery = pageQuery.extend({
  endpointId: z.uuid().optional(),
  eventId: z.uuid().optional(),
  importId: z.uuid().optional(),
  state: z.enum(deliveryStates).optional(),
  type: z.enum(eventTypes).optional().describe('The type of their event.'),
  status: z
    .enum(statusClasses)
    .optional()
    .describe('The status of the last attempt that has finished. `none`: it got no answer.'),
  createdAfter: timeParam('Created at this moment or later.').optional(),
  createdBefore: timeParam('Created before this moment.').optional(),
})

export function deliveryOperations(deps: Deps): Operation[] {
  return [
    operation({
      id: 'listDeliveries',
      method: 'get',
      path: '/v1/deliveries',
      scope: 'read',
      tag,
      summary: 'List deliveries, the newest first',
      query: deliveryQuery,
      answers: { 200: { description: 'A page of deliveries.', schema: pageSchema(deliverySchema) } },
      handle: async ({ query }) => answer(200, await listDeliveries(deps, query)),
    }),

    operation({
      id: 'getDelivery',
      method: 'get',
      path: '/v1/deliveries/{id}',
      scope: 'read',
      tag,
      summary: 'Get a delivery with what it sends',
      params: idParams,
      answers: { 200: { description: 'The delivery.', schema: wholeDeliverySchema } },
      handle: async ({ params }) => answer(200, await getDelivery(deps, params.id)),
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
      async handle({ params, principal }) {
        const delivery = await redeliver({ ...deps, by: principal }, params.id)
        deps.wake(['deliver'])
        return answer(202, delivery)
      },
    }),
  ]
}
