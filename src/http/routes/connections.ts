// Owns the operations on connections.
import type { Clock } from '../../base/clock.ts'
import type { Encryption } from '../../base/encryption.ts'
import type { ConnectionAccesses } from '../../connections/access.ts'
import { deleteConnection } from '../../connections/delete.ts'
import { describeConnections } from '../../connections/described.ts'
import { patchConnectionSchema, putConnectionSchema } from '../../connections/input.ts'
import { connectionSchema } from '../../connections/present.ts'
import { patchConnection, putConnection } from '../../connections/put.ts'
import { getConnection, listConnections } from '../../connections/read.ts'
import { resumeConnectionByName } from '../../connections/resume.ts'
import { connectionTestSchema, testConnection } from '../../connections/test.ts'
import type { Database } from '../../db/client.ts'
import type { Guard } from '../../egress/guard.ts'
import type { ProviderClient } from '../../providers/client.ts'
import { everyKind, type Wake } from '../../work/wake.ts'
import { answer, type Operation, operation } from '../operation.ts'
import { nameParams, pageQuery, pageSchema } from '../parameters.ts'

interface Deps {
  db: Database
  clock: Clock
  encryption: Encryption
  /** The rules for the addresses of providers. */
  guard: Guard
  wake: Wake
  accesses: ConnectionAccesses
  client: ProviderClient
}

const tag = 'Connections'

export function connectionOperations(deps: Deps): Operation[] {
  return [
    operation({
      id: 'putConnection',
      method: 'put',
      path: '/v1/connections/{name}',
      scope: 'admin',
      tag,
      summary: 'Create or replace a connection',
      description:
        'New credentials, settings or a new base URL resume a paused connection. Credentials are never returned.',
      params: nameParams,
      body: putConnectionSchema,
      describeBody: (uploaded) => describeConnections(uploaded).put,
      answers: {
        200: { description: 'The connection was replaced.', schema: connectionSchema },
        201: { description: 'The connection was created.', schema: connectionSchema },
      },
      location: ({ name }) => `/v1/connections/${encodeURIComponent(name)}`,
      problems: ['conflict'],
      async handle({ params, body, principal }) {
        const { created, connection } = await putConnection({ ...deps, by: principal }, params.name, body)
        deps.wake(everyKind)
        return answer(created ? 201 : 200, connection)
      },
    }),

    operation({
      id: 'patchConnection',
      method: 'patch',
      path: '/v1/connections/{name}',
      scope: 'admin',
      tag,
      summary: 'Change a connection',
      description:
        'Absent fields stay, each limit too. New credentials, settings or a new base URL resume a paused connection.',
      params: nameParams,
      body: patchConnectionSchema,
      describeBody: (uploaded) => describeConnections(uploaded).patch,
      answers: { 200: { description: 'The connection.', schema: connectionSchema } },
      problems: ['conflict'],
      async handle({ params, body, principal }) {
        const connection = await patchConnection({ ...deps, by: principal }, params.name, body)
        deps.wake(everyKind)
        return answer(200, connection)
      },
    }),

    operation({
      id: 'getConnection',
      method: 'get',
      path: '/v1/connections/{name}',
      scope: 'read',
      tag,
      summary: 'Get a connection',
      params: nameParams,
      answers: { 200: { description: 'The connection.', schema: connectionSchema } },
      handle: async ({ params }) => answer(200, await getConnection(deps, params.name)),
    }),

    operation({
      id: 'listConnections',
      method: 'get',
      path: '/v1/connections',
      scope: 'read',
      tag,
      summary: 'List connections by name',
      query: pageQuery,
      answers: { 200: { description: 'A page of connections.', schema: pageSchema(connectionSchema) } },
      handle: async ({ query }) => answer(200, await listConnections(deps, query)),
    }),

    operation({
      id: 'deleteConnection',
      method: 'delete',
      path: '/v1/connections/{name}',
      scope: 'admin',
      tag,
      summary: 'Delete a connection',
      description: 'Deletes its credentials. Its imports and their history stay.',
      params: nameParams,
      answers: { 204: { description: 'The connection was deleted.' } },
      problems: ['conflict'],
      async handle({ params, principal }) {
        await deleteConnection({ ...deps, by: principal }, params.name)
        return answer(204)
      },
    }),

    operation({
      id: 'testConnection',
      method: 'post',
      path: '/v1/connections/{name}/test',
      scope: 'admin',
      tag,
      summary: 'Try a connection',
      description:
        'Makes one request about a job that nobody has: a 404 means that the provider accepts the credentials. The request counts like any other. A paused connection can be tried, and stays paused.',
      params: nameParams,
      answers: { 200: { description: 'The result.', schema: connectionTestSchema } },
      handle: async ({ params, signal, principal }) =>
        answer(200, await testConnection({ ...deps, by: principal }, params.name, signal)),
    }),

    operation({
      id: 'resumeConnection',
      method: 'post',
      path: '/v1/connections/{name}/resume',
      scope: 'admin',
      tag,
      summary: 'Resume a paused connection',
      params: nameParams,
      answers: { 200: { description: 'The connection.', schema: connectionSchema } },
      async handle({ params, principal }) {
        const connection = await resumeConnectionByName({ ...deps, by: principal }, params.name)
        deps.wake(everyKind)
        return answer(200, connection)
      },
    }),
  ]
}
