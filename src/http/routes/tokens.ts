// Owns the operations on API tokens.
import { z } from 'zod'
import type { Clock } from '../../base/clock.ts'
import type { Database } from '../../db/client.ts'
import type { Authenticator } from '../../tokens/authenticate.ts'
import { createToken, createTokenSchema } from '../../tokens/create.ts'
import { listTokens } from '../../tokens/list.ts'
import { tokenSchema } from '../../tokens/present.ts'
import { removeToken } from '../../tokens/remove.ts'
import type { TokenWatch } from '../../tokens/watch.ts'
import { answer, type Operation, operation } from '../operation.ts'
import { idParams, pageQuery, pageSchema } from '../parameters.ts'

interface Deps {
  db: Database
  clock: Clock
  authenticator: Authenticator
  tokenWatch: TokenWatch
}

const tag = 'Tokens'
const newTokenSchema = tokenSchema
  .extend({ token: z.string().describe('Shown only this once.') })
  .meta({ id: 'NewToken' })

const meSchema = tokenSchema.pick({ name: true, scope: true }).meta({ id: 'Me', description: 'The holder of a token.' })

export function tokenOperations(deps: Deps): Operation[] {
  return [
    operation({
      id: 'getMe',
      method: 'get',
      path: '/v1/me',
      scope: 'read',
      tag,
      summary: 'Say whose token this is',
      answers: { 200: { description: 'The name and the scope of the token.', schema: meSchema } },
      handle: async ({ principal: { name, scope } }) => answer(200, { name, scope }),
    }),

    operation({
      id: 'createToken',
      method: 'post',
      path: '/v1/tokens',
      scope: 'admin',
      tag,
      summary: 'Create a token',
      body: createTokenSchema,
      answers: { 201: { description: 'The token, shown only this once.', schema: newTokenSchema } },
      location: ({ id }) => `/v1/tokens/${id}`,
      handle: async ({ body, principal }) => answer(201, await createToken({ ...deps, by: principal }, body)),
    }),

    operation({
      id: 'listTokens',
      method: 'get',
      path: '/v1/tokens',
      scope: 'admin',
      tag,
      summary: 'List tokens, the oldest first',
      query: pageQuery,
      answers: { 200: { description: 'A page of tokens.', schema: pageSchema(tokenSchema) } },
      handle: async ({ query }) => answer(200, await listTokens(deps, query)),
    }),

    operation({
      id: 'deleteToken',
      method: 'delete',
      path: '/v1/tokens/{id}',
      scope: 'admin',
      tag,
      summary: 'Revoke a token',
      description: 'Other processes may accept it for up to 5 more seconds.',
      params: idParams,
      answers: { 204: { description: 'The token was revoked.' } },
      async handle({ params, principal }) {
        await removeToken({ ...deps, by: principal }, params.id)
        deps.authenticator.forget()
        await deps.tokenWatch.check()
        return answer(204)
      },
    }),
  ]
}
