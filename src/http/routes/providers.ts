// Owns the operations on providers: those that come with the service, and documents that are uploaded.
import { z } from 'zod'
import { storableText } from '../../base/storable-text.ts'
import { providerSchema, providerSummarySchema } from '../../catalog/present.ts'
import { deleteProvider, putProvider } from '../../catalog/put.ts'
import { getProvider, listProviders } from '../../catalog/read.ts'
import { type TryDeps, triedProviderSchema, tryProvider, tryProviderSchema } from '../../connections/try-provider.ts'
import { answer, type Operation, operation } from '../operation.ts'
import { pageQuery, pageSchema } from '../parameters.ts'

const tag = 'Providers'

const params = z.object({
  name: z.string().transform(storableText).meta({ description: 'The provider’s name.' }),
})

/** catalog/put.ts reads it: the document itself is described in docs/providers.md. */
const documentBody = z
  .record(z.string(), z.unknown())
  .meta({ id: 'ProviderDocument', description: 'A provider as a document, `format` 1. See docs/providers.md.' })

export function providerOperations(deps: TryDeps): Operation[] {
  return [
    operation({
      id: 'putProvider',
      method: 'put',
      path: '/v1/providers/{name}',
      scope: 'admin',
      tag,
      summary: 'Upload a provider as a document',
      description:
        'Its examples are run, and all of them have to pass. Other content is the next revision; connections keep theirs until they are put again.',
      params,
      body: documentBody,
      answers: {
        200: { description: 'This is the newest revision already.', schema: providerSchema },
        201: { description: 'The document was stored as a new revision.', schema: providerSchema },
      },
      location: ({ name }) => `/v1/providers/${encodeURIComponent(name)}`,
      problems: ['conflict'],
      async handle({ params: { name }, body, principal }) {
        const { created, provider } = await putProvider({ ...deps, by: principal }, name, body)
        return answer(created ? 201 : 200, provider)
      },
    }),

    operation({
      id: 'getProvider',
      method: 'get',
      path: '/v1/providers/{name}',
      scope: 'admin',
      tag,
      summary: 'Get a provider and its document',
      params,
      answers: { 200: { description: 'The provider, with its newest revision.', schema: providerSchema } },
      handle: async ({ params: { name } }) => answer(200, await getProvider(deps, name)),
    }),

    operation({
      id: 'listProviders',
      method: 'get',
      path: '/v1/providers',
      scope: 'admin',
      tag,
      summary: 'List providers by name',
      query: pageQuery,
      answers: { 200: { description: 'A page of providers.', schema: pageSchema(providerSummarySchema) } },
      handle: async ({ query }) => answer(200, await listProviders(deps, query)),
    }),

    operation({
      id: 'deleteProvider',
      method: 'delete',
      path: '/v1/providers/{name}',
      scope: 'admin',
      tag,
      summary: 'Delete an uploaded document',
      description: 'Refused while a connection uses it.',
      params,
      answers: { 204: { description: 'The document was deleted.' } },
      problems: ['conflict'],
      async handle({ params: { name }, principal }) {
        await deleteProvider({ ...deps, by: principal }, name)
        return answer(204)
      },
    }),

    operation({
      id: 'tryProvider',
      method: 'post',
      path: '/v1/providers/{name}/try',
      scope: 'admin',
      tag,
      summary: 'Try what a document makes of an answer',
      description:
        'Give an answer of the vendor, or a connection and a job to ask about, which is one request of its budget. Nothing is stored.',
      params,
      body: tryProviderSchema,
      answers: { 200: { description: 'What the answer means.', schema: triedProviderSchema } },
      handle: async ({ params: { name }, body, signal }) => answer(200, await tryProvider(deps, name, body, signal)),
    }),
  ]
}
