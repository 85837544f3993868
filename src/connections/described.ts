// Owns how the API's document describes a connection's credentials and settings: by the providers' own schemas, told
// apart by `provider`. input.ts owns what the API accepts.
import { z } from 'zod'
import type { Provider } from '../providers/contract.ts'
import { providers } from '../providers/index.ts'
import { baseUrlSchema, commonChanges, commonFields } from './input.ts'

const described = Object.values(providers).map(describeProvider)

export const describedPutConnection = z
  .discriminatedUnion('provider', atLeastOne(described.map(({ put }) => put)))
  .meta({ id: 'PutConnection' })

export const describedPatchConnection = z
  .strictObject({
    provider: z.enum(Object.values(providers).map(({ name }) => name)),
    credentials: z.union(described.map(({ credentials }) => credentials)).describe('Replaces all credentials.'),
    settings: z.union(described.map(({ settings }) => settings)).describe('Replaces all settings.'),
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
