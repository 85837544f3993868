// Owns how the API's document describes a connection's credentials and settings: by the schemas of the providers that
// come with the service, by those of uploaded documents, and in general for any other. input.ts owns what the API accepts.
import { z } from 'zod'
import { providerNameSchema } from '../catalog/present.ts'
import type { Provider } from '../providers/contract.ts'
import { ownProviders } from '../providers/index.ts'
import { baseUrlSchema, commonChanges, commonFields } from './input.ts'

const own = ownProviders.map((provider) => describeProvider(provider, ''))
/** Each provider is described once, since a document may not have two schemas of one name. */
const describedUploads = new WeakMap<Provider, ReturnType<typeof describeProvider>>()

export interface DescribedConnection {
  put: z.ZodType
  patch: z.ZodType
}

/** @param uploaded The newest documents. One of these hides a provider of its name that comes with the service. */
export function describeConnections(uploaded: readonly Provider[]): DescribedConnection {
  const names = new Set(uploaded.map(({ name }) => name))
  const shown = own.filter(({ name }) => !names.has(name))
  const known = uploaded.map(describeUpload)
  const all = [...shown, ...known]
  const ownPut = z
    .discriminatedUnion('provider', atLeastOne(shown.map(({ put }) => put)))
    .meta({ id: 'PutOwnConnection', description: 'A connection to a provider that comes with the service.' })
  const put = z.union([ownPut, ...known.map((one) => one.put), uploadedPut(all.map(({ name }) => name))])
  const patch = z
    .strictObject({
      provider: providerNameSchema,
      credentials: z
        .union([...all.map(({ credentials }) => credentials), anything])
        .describe('Replaces all credentials.'),
      settings: z.union([...all.map(({ settings }) => settings), anything]).describe('Replaces all settings.'),
      ...commonChanges,
    })
    .partial()
  return { put: put.meta({ id: 'PutConnection' }), patch: patch.meta({ id: 'PatchConnection' }) }
}

const anything = z.record(z.string(), z.unknown())

/** Of any other name: a document may be uploaded after this was read. */
function uploadedPut(known: readonly string[]): z.ZodType {
  return z
    .strictObject({
      provider: providerNameSchema.meta({
        description: 'The name of an uploaded document.',
        override: { type: 'string', not: { enum: [...known] } },
      }),
      baseUrl: baseUrlSchema.optional(),
      credentials: z.record(z.string(), z.string()),
      settings: z.record(z.string(), z.unknown()).optional(),
      ...commonFields,
    })
    .meta({
      id: 'PutUploadedConnection',
      description: 'A connection to a provider whose document was uploaded, with what that document asks for.',
    })
}

function describeUpload(provider: Provider): ReturnType<typeof describeProvider> {
  const found = describedUploads.get(provider) ?? describeProvider(provider, 'Uploaded')
  describedUploads.set(provider, found)
  return found
}

/** @param kind Begins the names of the schemas, so that an uploaded provider may have any name. */
function describeProvider(provider: Provider, kind: '' | 'Uploaded') {
  const title = kind + provider.name.charAt(0).toUpperCase() + provider.name.slice(1)
  const credentials = provider.credentialsSchema.meta({
    id: `${title}Credentials`,
    description: `The credentials for ${provider.name}. Stored encrypted, and never shown.`,
  })
  const settings = provider.settingsSchema.meta({ id: `${title}Settings` })
  const baseUrl = baseUrlSchema.meta({
    description: `The base URL of its API. Absent: ${provider.defaultBaseUrl}.`,
  })
  const put = z
    .strictObject({
      provider: z.literal(provider.name),
      baseUrl:
        provider.defaultBaseUrl === null
          ? baseUrlSchema.meta({ description: 'The base URL of its API.' })
          : baseUrl.optional(),
      credentials,
      settings: settings.safeParse({}).success ? settings.optional() : settings,
      ...commonFields,
    })
    .meta({ id: `Put${title}Connection` })
  return { name: provider.name, credentials, settings, put }
}

function atLeastOne<Item>(items: Item[]): [Item, ...Item[]] {
  const [first, ...others] = items
  if (first === undefined) throw new Error('There is no provider.')
  return [first, ...others]
}
