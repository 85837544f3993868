// Owns the form of a provider's document, format 1. read-document.ts puts it together with its bounds, and with how its
// parts have to fit together.
import { z } from 'zod'
import { defined } from '../../base/defined.ts'
import { jobIdProblem } from '../job-id.ts'
import { politeDefaults } from '../polite-defaults.ts'
import { condition, oneOrMany, value } from './expressions.ts'
import { type AuthForm, authSchema, type CredentialFields, credentialFields, settingSchema } from './forms/access.ts'
import { fieldName, headers, words } from './forms/common.ts'
import { detailsSchema } from './forms/details.ts'
import { exampleSchema } from './forms/example.ts'
import { statusSchema, summarySchema } from './forms/report.ts'
import { pointerProblem } from './pointer.ts'

export const namePattern = /^[a-z][a-z0-9-]{0,39}$/
export const nameForm = 'must be 1 to 40 lower-case letters, digits or "-", the first one a letter'

export const errorKinds = [
  ...['unauthorized', 'refresh', 'forbidden', 'not_found'],
  ...['rate_limited', 'server_error', 'bad_request'],
] as const

const waitForms = ['seconds', 'date', 'epochS', 'resetS'] as const
const wait = z
  .strictObject({ header: z.string().min(1).max(100).optional(), value: value.optional(), form: z.enum(waitForms) })
  .refine((given) => (given.header === undefined) !== (given.value === undefined), 'must have one of header and value')
export type WaitForm = z.output<typeof wait>

const limits = {
  requestsPerSecond: z.number().min(0.00001).max(10_000).nullable(),
  requestsPerMinute: z.number().min(0.0006).max(600_000).nullable(),
  requestsPerDay: z.number().int().min(1).max(1_000_000_000).nullable(),
  requestsPerMonth: z.number().int().min(1).max(1_000_000_000).nullable(),
  maxInFlight: z.number().int().min(1).max(1_000),
  minIntervalMs: z.number().int().min(1).max(86_400_000),
  maxIntervalMs: z.number().int().min(1).max(86_400_000),
  deadlineMs: z.number().int().min(1).max(316_224_000_000),
}

const limitsSchema = z
  .strictObject(limits)
  .partial()
  .superRefine((given, context) => {
    const { minIntervalMs, maxIntervalMs } = { ...politeDefaults, ...defined(given) }
    if (minIntervalMs <= maxIntervalMs) return
    const path = given.maxIntervalMs === undefined ? 'minIntervalMs' : 'maxIntervalMs'
    const message =
      path === 'maxIntervalMs'
        ? `must be at least minIntervalMs, ${minIntervalMs}`
        : `must be at most maxIntervalMs, ${maxIntervalMs}`
    context.addIssue({ code: 'custom', path: [path], message })
  })

const baseUrl = z
  .string()
  .max(2_048)
  .refine(isBaseUrl, 'must be a URL such as https://api.example.com, without query, fragment or credentials')
  .nullable()

function isBaseUrl(text: string): boolean {
  const url = URL.parse(text)
  return url !== null && /^https?:$/.test(url.protocol) && !/[?#@]/.test(text)
}

const volatileField = z
  .string()
  .max(500)
  .superRefine((pointer, context) => {
    const problem = pointer === '' ? 'must not be the whole answer' : pointerProblem(pointer, { wildcards: 0 })
    if (problem !== null) context.addIssue(problem)
  })

export const documentForm = z.strictObject({
  format: z.literal(1),
  name: z.string().regex(namePattern, nameForm),
  ...words,
  /** Null: each connection has its own. */
  baseUrl,
  /** Of several alternatives, a connection has one. */
  credentials: oneOrMany(credentialFields, { most: 5 }),
  settings: z.record(fieldName, settingSchema).default({}),
  job: z
    .strictObject({
      kind: z.enum(['segment', 'path', 'url']).default('segment'),
      maxLength: z.number().int().min(1).max(2_000).default(500),
      /** An id of the vendor's form that no job has: a connection is tried by it. Absent: by a UUID. */
      unknown: z.string().optional(),
    })
    .superRefine(({ unknown, ...form }, context) => {
      const message = form.kind === 'url' ? 'is not for URLs' : jobIdProblem(unknown ?? '-', { jobId: form })
      if (unknown !== undefined && message !== null) context.addIssue({ code: 'custom', path: ['unknown'], message })
    })
    .default({ kind: 'segment', maxLength: 500 }),
  /** Of several, the first whose credentials are all there. */
  auth: oneOrMany(authSchema, { most: 5 }),
  headers: headers.optional(),
  limits: limitsSchema.default({}),
  forgetsJobs: z.boolean().default(false),
  volatileFields: z.array(volatileField).default([]),
  /** The first one that holds says what an answer is, also a 2xx. */
  errors: z.array(z.strictObject({ when: condition, kind: z.enum(errorKinds) })).default([]),
  errorCode: value.optional(),
  errorMessage: value.optional(),
  /** How long to wait, besides `Retry-After`. */
  retryAfter: z.array(wait).default([]),
  status: statusSchema,
  summary: summarySchema.optional(),
  details: z.array(detailsSchema).default([]),
  examples: z.array(exampleSchema).max(50).default([]),
})

export type ProviderDocument = z.output<typeof documentForm>

export function alternativesOf({ credentials }: Pick<ProviderDocument, 'credentials'>): CredentialFields[] {
  return Array.isArray(credentials) ? credentials : [credentials]
}

export function authsOf({ auth }: Pick<ProviderDocument, 'auth'>): AuthForm[] {
  return Array.isArray(auth) ? auth : [auth]
}
