// Owns which fields a provider asks for, read off the schemas that its connections are checked by: so a form of an
// uploaded document needs nothing else than the document.
import { z } from 'zod'
import type { Provider } from '../../providers/contract.ts'

export interface AskedField {
  name: string
  /** What the provider says of it. Null: nothing. */
  hint: string | null
  isRequired: boolean
  /** `lines`: a text that may have several lines, such as JSON. `list`: several texts. `choice`: one of `options`. */
  kind: 'text' | 'lines' | 'list' | 'choice'
  options: readonly string[]
}

export interface AskedCredentials {
  schema: z.ZodType
  fields: AskedField[]
}

/** Returns the alternatives of credentials, of which a connection has one. */
export function askedCredentials({ credentialsSchema }: Pick<Provider, 'credentialsSchema'>): AskedCredentials[] {
  const schemas = credentialsSchema instanceof z.ZodUnion ? credentialsSchema.options : [credentialsSchema]
  return schemas.map((schema) => ({ schema: schema as z.ZodType, fields: fieldsOf(schema) }))
}

export function askedSettings({ settingsSchema }: Pick<Provider, 'settingsSchema'>): AskedField[] {
  return fieldsOf(settingsSchema)
}

function fieldsOf(schema: unknown): AskedField[] {
  if (!(schema instanceof z.ZodObject)) return []
  return Object.entries(schema.shape as Record<string, z.ZodType>).map(([name, given]) => {
    const one = given instanceof z.ZodOptional ? (given.unwrap() as z.ZodType) : given
    return {
      name,
      hint: given.description ?? one.description ?? null,
      isRequired: !given.safeParse(undefined).success,
      kind: kindOf(one),
      options: one instanceof z.ZodEnum ? one.options.map(String) : [],
    }
  })
}

function kindOf(schema: z.ZodType): AskedField['kind'] {
  if (schema instanceof z.ZodEnum) return 'choice'
  if (schema instanceof z.ZodArray) return 'list'
  return schema.safeParse('{}').success && !schema.safeParse('x').success ? 'lines' : 'text'
}
