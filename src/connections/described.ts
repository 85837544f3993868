// Owns how the API's document describes a connection's credentials and settings: by the schemas of the providers that
// come with the service, told apart by `provider`, and in general for uploaded ones. input.ts owns what the API accepts.
import { z } from 'zod'
import { providerNameSchema } from '../catalog/present.ts'
import type { Provider } from '../providers/contract.ts'
import { ownProviders } from '../providers/index.ts'
import { baseUrlSchema, commonChanges, commonFields } from './input.ts'

const described = ownProviders.map(describeProvider)

const ownPut = z
  .discriminatedUnion('provider', atLeastOne(described.map(({ put }) => put)))
  .meta({ id: 'PutOwnConnection', description: 'A connection to a provider that comes with the service.' })

const uploadedPut = z
  .strictObject({
    provider: providerNameSchema.meta({
      description: 'The name of an uploaded document.',
      override: { type: 'string', not: { enum: ownProviders.map(({ name }) => name) } },
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

export const describedPutConnection = z.union([ownPut, uploadedPut]).meta({ id: 'PutConnection' })

const anything = z.record(z.string(), z.unknown())

export const describedPatchConnection = z
  .strictObject({
    provider: providerNameSchema,
    credentials: z
      .union([...described.map(({ credentials }) => credentials), anything])
      .describe('Replaces all credentials.'),
    settings: z.union([...described.map(({ settings }) => settings), anything]).describe('Replaces all settings.'),
    ...commonChanges,
  })
  .partial()
  .meta({ id: 'PatchConnection' })

function describeProvider(provider: Provider) {
  const title = provider.name.charAt(0).toUpperCase() + provider.name.slice(1)
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
  return { credentials, settings, put }
}

function atLeastOne<Item>(items: Item[]): [Item, ...Item[]] {
  const [first, ...others] = items
  if (first === undefined) throw new Error('There is no provider.')
  return [first, ...others]
}
