// Owns what the API's document says of a connection's credentials and settings: the providers' own schemas, told apart
// by `provider`. What is accepted is input.ts's.
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
    credentials: z.union(described.map(({ credentials }) => credentials)).describe('Replaces all of them.'),
    settings: z.union(described.map(({ settings }) => settings)).describe('Replaces all of them.'),
    ...commonChanges,
  })
  .partial()
  .meta({ id: 'PatchConnection' })

function describeProvider(provider: Provider) {
  const title = provider.name.charAt(0).toUpperCase() + provider.name.slice(1)
  const credentials = provider.credentialsSchema.meta({
    id: `${title}Credentials`,
    description: `What ${provider.name} wants to know who asks. Encrypted, and never shown.`,
  })
  const settings = provider.settingsSchema.meta({ id: `${title}Settings` })
  const baseUrl = baseUrlSchema.meta({
    description: `Where its API is; absent: ${provider.defaultBaseUrl}.`,
  })
  const put = z
    .strictObject({
      provider: z.literal(provider.name),
      baseUrl:
        provider.defaultBaseUrl === null
          ? baseUrlSchema.meta({ description: 'Where its API is.' })
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
