// Owns the operations on events.
import type { Clock } from '../../clock.ts'
import type { Database } from '../../db/client.ts'
import { requireImport } from '../../imports/read.ts'
import { eventSchema, listEvents, listImportEvents } from '../../webhooks/feed.ts'
import { answer, type Operation, operation } from '../operation.ts'
import { idParams, pageQuery, pageSchema } from '../parameters.ts'

interface Deps {
  db: Database
  clock: Clock
}

const tag = 'Events'

export function eventOperations(deps: Deps): Operation[] {
  return [
    operation({
      id: 'listEvents',
      method: 'get',
      path: '/v1/events',
      scope: 'read',
      tag,
      summary: 'List events in the order in which they came, 30 days back',
      description:
        'A feed: at its end, ask again with `after=<id of the last event>`. Nothing appears before it: ' +
        'an event that is committed late comes later. `after` may also be a `webhook-id`.',
      query: pageQuery,
      answers: { 200: { description: 'A page of events.', schema: pageSchema(eventSchema) } },
      handle: async ({ query }) => answer(200, await listEvents(deps, query)),
    }),

    operation({
      id: 'listImportEvents',
      method: 'get',
      path: '/v1/imports/{id}/events',
      scope: 'read',
      tag,
      summary: 'List the events of an import, the oldest first',
      params: idParams,
      query: pageQuery,
      answers: { 200: { description: 'A page of events.', schema: pageSchema(eventSchema) } },
      async handle({ params, query }) {
        await requireImport(deps.db, params.id)
        return answer(200, await listImportEvents(deps, params.id, query))
      },
    }),
  ]
}
