// Owns the operations on events.
import { z } from 'zod'
import { AppError } from '../../api/refusal.ts'
import type { Clock } from '../../base/clock.ts'
import type { Database } from '../../db/client.ts'
import { getEvent, listEvents, listImportEvents } from '../../events/feed.ts'
import { requireImport } from '../../imports/read.ts'
import { eventTypes } from '../../model/event-types.ts'
import type { FeedWatcher } from '../../webhooks/watch-feed.ts'
import { eventSchema } from '../event-schemas.ts'
import type { ApiLimits } from '../limits.ts'
import { answer, type Operation, operation } from '../operation.ts'
import { idParams, integerParam, maxWaitMs, pageQuery, pageSchema } from '../parameters.ts'

interface Deps {
  db: Database
  clock: Clock
  feed: FeedWatcher
  limits: ApiLimits
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
      summary: 'List the events of the last 30 days, in the order in which they came',
      description:
        'A feed. At its end, ask again with `after=<id of the last event>`. Nothing ever appears before that event: ' +
        'an event that is committed late comes later. `after` may also be a `webhook-id`. `waitMs` makes it a long poll.',
      query: pageQuery.extend({
        type: z.enum(eventTypes).optional().meta({ description: 'Only events of this type.' }),
        connection: z
          .string()
          .max(100)
          .optional()
          .meta({ description: 'The name of a connection, for its own events and those of its imports.' }),
        waitMs: integerParam(
          0,
          maxWaitMs,
          'If there are no events, hold the answer until there are, at most this long.',
        ).optional(),
      }),
      answers: { 200: { description: 'A page of events.', schema: pageSchema(eventSchema) } },
      async handle({ query, signal, principal, isHead }) {
        if (!query.waitMs || isHead) return answer(200, await listEvents(deps, query))
        using place = deps.limits.takePlace('waiter', principal)
        const patience = AbortSignal.any([signal, place.revoked, AbortSignal.timeout(query.waitMs)])
        const page = await deps.feed.wait(query, patience)
        if (place.revoked.aborted) throw new AppError('unauthenticated', 'The token was revoked.')
        return answer(200, page)
      },
    }),

    operation({
      id: 'getEvent',
      method: 'get',
      path: '/v1/events/{id}',
      scope: 'read',
      tag,
      summary: 'Get an event',
      params: idParams,
      answers: { 200: { description: 'The event.', schema: eventSchema } },
      handle: async ({ params }) => answer(200, await getEvent(deps, params.id)),
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
