// Owns the operations on webhook endpoints.
import type { Clock } from '../../base/clock.ts'
import type { Encryption } from '../../base/encryption.ts'
import type { Database } from '../../db/client.ts'
import type { CheckDestination } from '../../egress/destination.ts'
import { deliverySchema } from '../../webhooks/deliveries/present.ts'
import { createEndpoint } from '../../webhooks/endpoints/create.ts'
import { createEndpointSchema, patchEndpointSchema } from '../../webhooks/endpoints/input.ts'
import { enableEndpoint, patchEndpoint } from '../../webhooks/endpoints/patch.ts'
import { endpointSchema, endpointWithSecretSchema } from '../../webhooks/endpoints/present.ts'
import { getEndpoint, listEndpoints } from '../../webhooks/endpoints/read.ts'
import { recoverEndpoint } from '../../webhooks/endpoints/recover.ts'
import { removeEndpoint } from '../../webhooks/endpoints/remove.ts'
import { replayEndpoint } from '../../webhooks/endpoints/replay.ts'
import { resentSchema, windowSchema } from '../../webhooks/endpoints/resend.ts'
import { rotateSecret, rotateSecretSchema } from '../../webhooks/endpoints/rotate-secret.ts'
import { testEndpoint } from '../../webhooks/endpoints/send-test.ts'
import type { Wake } from '../../work/wake.ts'
import { answer, type Operation, operation } from '../operation.ts'
import { idParams, pageQuery, pageSchema } from '../parameters.ts'

interface Deps {
  db: Database
  clock: Clock
  encryption: Encryption
  /** The rules for the destinations of webhooks. */
  checkDestination: CheckDestination
  wake: Wake
}

const tag = 'Webhook endpoints'

export function webhookEndpointOperations(deps: Deps): Operation[] {
  return [
    operation({
      id: 'createWebhookEndpoint',
      method: 'post',
      path: '/v1/webhook-endpoints',
      scope: 'admin',
      tag,
      summary: 'Create a webhook endpoint',
      description:
        'The endpoint gets events from now on. By default that is one event for each import, when it is over.',
      body: createEndpointSchema,
      answers: { 201: { description: 'The endpoint, with its secret this once.', schema: endpointWithSecretSchema } },
      location: ({ id }) => `/v1/webhook-endpoints/${id}`,
      handle: async ({ body, principal }) => answer(201, await createEndpoint({ ...deps, by: principal }, body)),
    }),

    operation({
      id: 'listWebhookEndpoints',
      method: 'get',
      path: '/v1/webhook-endpoints',
      scope: 'read',
      tag,
      summary: 'List webhook endpoints, the oldest first',
      query: pageQuery,
      answers: { 200: { description: 'A page of endpoints.', schema: pageSchema(endpointSchema) } },
      handle: async ({ query }) => answer(200, await listEndpoints(deps, query)),
    }),

    operation({
      id: 'getWebhookEndpoint',
      method: 'get',
      path: '/v1/webhook-endpoints/{id}',
      scope: 'read',
      tag,
      summary: 'Get a webhook endpoint',
      params: idParams,
      answers: { 200: { description: 'The endpoint.', schema: endpointSchema } },
      handle: async ({ params }) => answer(200, await getEndpoint(deps, params.id)),
    }),

    operation({
      id: 'patchWebhookEndpoint',
      method: 'patch',
      path: '/v1/webhook-endpoints/{id}',
      scope: 'admin',
      tag,
      summary: 'Change a webhook endpoint',
      description: 'Absent fields stay.',
      params: idParams,
      body: patchEndpointSchema,
      answers: { 200: { description: 'The endpoint.', schema: endpointSchema } },
      handle: async ({ params, body, principal }) =>
        answer(200, await patchEndpoint({ ...deps, by: principal }, params.id, body)),
    }),

    operation({
      id: 'deleteWebhookEndpoint',
      method: 'delete',
      path: '/v1/webhook-endpoints/{id}',
      scope: 'admin',
      tag,
      summary: 'Delete a webhook endpoint',
      description: 'Pending deliveries are skipped. The log of its deliveries stays.',
      params: idParams,
      answers: { 204: { description: 'The endpoint was deleted.' } },
      async handle({ params, principal }) {
        await removeEndpoint({ ...deps, by: principal }, params.id)
        return answer(204)
      },
    }),

    operation({
      id: 'rotateWebhookSecret',
      method: 'post',
      path: '/v1/webhook-endpoints/{id}/rotate-secret',
      scope: 'admin',
      tag,
      summary: 'Give a webhook endpoint a new secret',
      description: 'The old secret goes on signing until the overlap is over: 24 hours unless the body says otherwise.',
      params: idParams,
      body: rotateSecretSchema.prefault({}),
      answers: { 200: { description: 'The endpoint, with its secret this once.', schema: endpointWithSecretSchema } },
      problems: ['conflict'],
      handle: async ({ params, body, principal }) =>
        answer(200, await rotateSecret({ ...deps, by: principal }, params.id, body)),
    }),

    operation({
      id: 'testWebhookEndpoint',
      method: 'post',
      path: '/v1/webhook-endpoints/{id}/test',
      scope: 'admin',
      tag,
      summary: 'Send a test event to a webhook endpoint',
      params: idParams,
      answers: { 202: { description: 'The delivery, which is due.', schema: deliverySchema } },
      problems: ['conflict'],
      async handle({ params, principal }) {
        const delivery = await testEndpoint({ ...deps, by: principal }, params.id)
        deps.wake(['deliver'])
        return answer(202, delivery)
      },
    }),

    operation({
      id: 'recoverWebhookEndpoint',
      method: 'post',
      path: '/v1/webhook-endpoints/{id}/recover',
      scope: 'admin',
      tag,
      summary: 'Send failed deliveries of a span of time again',
      description:
        'Takes deliveries that are exhausted or wait for a retry, by the time of their event. They are due now, and begin their schedule again.',
      params: idParams,
      body: windowSchema.prefault({}),
      answers: { 200: { description: 'How many are due now.', schema: resentSchema } },
      problems: ['conflict'],
      async handle({ params, body, principal }) {
        const resent = await recoverEndpoint({ ...deps, by: principal }, params.id, body)
        deps.wake(['deliver'])
        return answer(200, resent)
      },
    }),

    operation({
      id: 'replayWebhookEndpoint',
      method: 'post',
      path: '/v1/webhook-endpoints/{id}/replay',
      scope: 'admin',
      tag,
      summary: 'Send the events that a webhook endpoint never received',
      description:
        'Takes events that the endpoint subscribes to, by their time: those skipped while it was disabled, and those from before it existed or subscribed to them.',
      params: idParams,
      body: windowSchema.prefault({}),
      answers: { 200: { description: 'How many are due now.', schema: resentSchema } },
      problems: ['conflict'],
      async handle({ params, body, principal }) {
        const resent = await replayEndpoint({ ...deps, by: principal }, params.id, body)
        deps.wake(['deliver'])
        return answer(200, resent)
      },
    }),

    operation({
      id: 'enableWebhookEndpoint',
      method: 'post',
      path: '/v1/webhook-endpoints/{id}/enable',
      scope: 'admin',
      tag,
      summary: 'Enable a disabled webhook endpoint',
      description: 'An endpoint that is failing, or that waits, is tried again at once.',
      params: idParams,
      answers: { 200: { description: 'The endpoint.', schema: endpointSchema } },
      handle: async ({ params, principal }) => answer(200, await enableEndpoint({ ...deps, by: principal }, params.id)),
    }),
  ]
}
