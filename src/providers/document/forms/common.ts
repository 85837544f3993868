// Owns the small forms that the larger ones of a document share: names, templates, words for people, and requests.
import { z } from 'zod'
import { byType, condition, pointerSchema, reportedStates } from '../expressions.ts'

export const fieldName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_]{0,49}$/, 'must be 1 to 50 letters, digits or "_", the first one a letter')
export const template = z.string().min(1).max(1_000)
export const state = z.enum(reportedStates)
export const headerName = z
  .string()
  .regex(/^[A-Za-z0-9-]{1,60}$/, 'must be a header’s name')
  .refine((name) => !ownHeaders.has(name.toLowerCase()), 'must not be a header that belongs to the connection itself')
/** Headers that the client alone may write. */
const ownHeaders = new Set([
  ...['host', 'connection', 'content-length', 'transfer-encoding', 'upgrade', 'expect', 'te', 'trailer'],
  ...['keep-alive', 'proxy-authorization', 'proxy-connection', 'accept-encoding', 'cookie'],
])

export const words = { title: z.string().min(1).max(100), description: z.string().max(1_000).optional() }

export const headers = z.record(headerName, template)

export const json: z.ZodType<unknown, unknown> = z.custom<unknown>((given) => given !== undefined, 'is required')

export const requestSchema = z.strictObject({
  method: z.enum(['GET', 'POST']).default('GET'),
  /** Of a list, the first whose condition holds for the settings. */
  path: byType(template, () =>
    z
      .array(z.strictObject({ when: condition.optional(), path: template }))
      .min(1)
      .max(5),
  ),
  query: z.record(z.string().min(1).max(100), template).optional(),
  headers: headers.optional(),
  /** JSON. A text that is a placeholder as a whole is filled in. */
  body: json.optional(),
})
export type RequestForm = z.output<typeof requestSchema>

export const plainPointer = pointerSchema({ wildcards: 0 })
