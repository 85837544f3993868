// Owns the operations on imports themselves. import-steering.ts steers one; import-details.ts reads the parts of one
// (history, rows).
import { z } from 'zod'
import { AppError } from '../../api/refusal.ts'
import type { Clock } from '../../base/clock.ts'
import { requireProvider } from '../../catalog/documents.ts'
import type { Database } from '../../db/client.ts'
import { deleteImport } from '../../imports/delete.ts'
import { type ApiImport, importSchema } from '../../imports/present.ts'
import { getImport, getImports, listImports } from '../../imports/read.ts'
import { registerImport, registerImports } from '../../imports/register.ts'
import type { Watcher } from '../../imports/watch.ts'
import { everyKind, type Wake } from '../../work/wake.ts'
import { eventStream, streamChanges } from '../event-stream.ts'
import { filterOf, importQuery } from '../import-query.ts'
import type { ApiLimits } from '../limits.ts'
import { answer, type Operation, operation } from '../operation.ts'
import { idParams, integerParam, maxWaitMs, pageSchema } from '../parameters.ts'
import { problemOf } from '../problem.ts'
import {
  batchAnswerSchema,
  batchSchema,
  type RegistrationInput,
  readBatch,
  registrationSchema,
} from './registration.ts'

interface Deps {
  /** For statements that may take long. Absent: `db`. */
  patientDb?: Database
  db: Database
  clock: Clock
  watcher: Watcher
  wake: Wake
  limits: ApiLimits
}

const tag = 'Imports'

export function importOperations(deps: Deps): Operation[] {
  return [
    operation({
      id: 'registerImport',
      method: 'post',
      path: '/v1/imports',
      scope: 'write',
      tag,
      summary: 'Register an import',
      description: 'Registering a job of a connection again returns the existing import, unchanged.',
      body: registrationSchema,
      answers: {
        200: { description: 'The import had been registered before.', schema: importSchema },
        201: { description: 'The import was registered.', schema: importSchema },
      },
      location: ({ id }) => `/v1/imports/${id}`,
      async handle({ body }) {
        const { importId, created } = await registerImport(deps, body)
        deps.wake(everyKind)
        return answer(created ? 201 : 200, await getImport(deps, importId))
      },
    }),

    operation({
      id: 'registerImports',
      method: 'post',
      path: '/v1/imports/batch',
      scope: 'write',
      tag,
      summary: 'Register up to 1,000 imports',
      description: 'Each item stands for itself: a refused item holds up no other.',
      body: batchSchema,
      itemsIn: 'imports',
      answers: { 200: { description: 'The result of each item, in order.', schema: batchAnswerSchema } },
      async handle({ body, requestId }) {
        const items = readBatch(body.imports)
        const outcomes = await registerAll(deps, items)
        deps.wake(everyKind)
        const ids = outcomes.flatMap((outcome) => (outcome instanceof AppError ? [] : outcome.importId))
        const shown = new Map((await getImports(deps, ids)).map((one) => [one.id, one]))
        const data = outcomes.map((outcome) => {
          if (outcome instanceof AppError) return { status: outcome.status, problem: problemOf(outcome, requestId) }
          return { status: outcome.created ? 201 : 200, import: shown.get(outcome.importId) as ApiImport }
        })
        return answer(200, { data })
      },
    }),

    operation({
      id: 'listImports',
      method: 'get',
      path: '/v1/imports',
      scope: 'read',
      tag,
      summary: 'List imports by their registration, the newest first',
      description:
        'All given filters have to hold. `metadata.KEY=VALUE`, several times, compares the text of a scalar: `metadata.run=42` finds 42 and "42". KEY is a key at the top, and may hold dots.',
      query: importQuery,
      answers: { 200: { description: 'A page of imports.', schema: pageSchema(importSchema) } },
      async handle({ query }) {
        const filter = filterOf(query)
        await requireProvider(deps.db, filter.provider, 'provider')
        return answer(200, await listImports(deps, filter))
      },
    }),

    operation({
      id: 'getImport',
      method: 'get',
      path: '/v1/imports/{id}',
      scope: 'read',
      tag,
      summary: 'Get an import, now or once it is over',
      params: idParams,
      query: z.strictObject({
        waitMs: integerParam(0, maxWaitMs, 'Hold the answer until the import is over, at most this long.').optional(),
      }),
      answers: { 200: { description: 'The import.', schema: importSchema } },
      async handle({ params, query, signal, principal, isHead }) {
        if (!query.waitMs || isHead) return answer(200, await getImport(deps, params.id))
        using place = deps.limits.takePlace('waiter', principal)
        const patience = AbortSignal.any([signal, place.revoked, AbortSignal.timeout(query.waitMs)])
        for await (const _change of deps.watcher.changes(params.id, patience)); // ends when the import is over or `patience` aborts
        if (place.revoked.aborted) throw new AppError('unauthenticated', 'The token was revoked.')
        return answer(200, await getImport(deps, params.id))
      },
    }),

    operation({
      id: 'streamImport',
      method: 'get',
      path: '/v1/imports/{id}/stream',
      scope: 'read',
      tag,
      summary: 'Follow an import by server-sent events',
      description:
        'Sends an event `import` with the import as JSON, now and at each change. The stream ends when the import is over.',
      params: idParams,
      answers: {
        200: {
          description: 'The events.',
          streams: {
            [eventStream]: {
              description: 'Server-sent events `import`; the data of each is the import as JSON.',
              item: importSchema,
            },
          },
        },
      },
      handle: async ({ params, signal, principal }) =>
        deps.limits.placed('stream', principal, (revoked) =>
          streamChanges(deps.watcher.changes(params.id, AbortSignal.any([signal, revoked]))),
        ),
    }),

    operation({
      id: 'deleteImport',
      method: 'delete',
      path: '/v1/imports/{id}',
      scope: 'admin',
      tag,
      summary: 'Delete an import',
      description:
        'Deletes its history, its rows, its events and the log of their deliveries. Polling of a live import ends. No event reports it.',
      params: idParams,
      answers: { 204: { description: 'The import was deleted.' } },
      async handle({ params, principal }) {
        await deleteImport({ ...deps, db: deps.patientDb ?? deps.db, by: principal }, params.id)
        return answer(204)
      },
    }),
  ]
}

/** Registers the readable items, and puts the refusals back in their places. */
async function registerAll(deps: Deps, items: ReturnType<typeof readBatch>) {
  const readable = items.filter((item): item is RegistrationInput => !(item instanceof AppError))
  const registered = await registerImports(deps, readable)
  return items.map((item) => {
    if (item instanceof AppError) return item
    const outcome = registered.shift()
    if (outcome === undefined) throw new Error('A registration has no outcome.')
    return outcome
  })
}
