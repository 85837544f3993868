// Owns the operation on actions: who did what.
import { z } from 'zod'
import { actionSchema } from '../../actions/present.ts'
import { listActions } from '../../actions/read.ts'
import { actionVerbs } from '../../actions/verbs.ts'
import type { Database } from '../../db/client.ts'
import { answer, type Operation, operation } from '../operation.ts'
import { pageQuery, pageSchema } from '../parameters.ts'

const query = pageQuery.extend({
  importId: z.uuid().optional().describe('Done to this import, by itself or with others. It may be deleted.'),
  connection: z
    .string()
    .max(100)
    .optional()
    .describe('The name of a connection, for changes of the connection itself.'),
  endpointId: z.uuid().optional().describe('Done to this webhook endpoint, or to a delivery to it.'),
  by: z.string().max(100).optional().describe('The name of the token.'),
  verb: z.enum(actionVerbs).optional(),
})

export function actionOperations(deps: { db: Database }): Operation[] {
  return [
    operation({
      id: 'listActions',
      method: 'get',
      path: '/v1/actions',
      scope: 'read',
      tag: 'Actions',
      summary: 'List who did what, the newest first',
      description:
        'What the holders of tokens did, by the API or in a browser. Registering an import is none, and what the service does by itself is an event. An action on many imports is one, and found by each of them.',
      query,
      answers: { 200: { description: 'A page of actions.', schema: pageSchema(actionSchema) } },
      handle: async ({ query }) => answer(200, await listActions(deps, query)),
    }),
  ]
}
