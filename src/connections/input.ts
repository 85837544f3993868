// Owns what the API accepts for a connection. The provider checks its own part. described.ts owns how the API's
// document describes that part.
import { z } from 'zod'
import { type FieldError, invalid } from '../api/refusal.ts'
import { fieldErrors, invalidFields, issueText } from '../api/validation.ts'
import type { CurrentProvider } from '../catalog/documents.ts'
import { providerNameSchema } from '../catalog/present.ts'
import type { Guard } from '../egress/guard.ts'
import type { StoredLimits } from '../model/limits.ts'
import { effectiveLimits } from '../model/limits.ts'
import type { ProviderFacts } from '../model/provider-facts.ts'
import type { Provider } from '../providers/contract.ts'
import { factsOf } from '../providers/facts.ts'
import { baselineBySchema } from './baseline-by.ts'
import { volatileFieldsSchema } from './volatile-fields.ts'

const tenYearsMs = 10 * 366 * 24 * 3_600_000
const durationMs = z.number().int().min(1).max(tenYearsMs)

/** About one request a day, so that the time of the next one can be stored. */
const minRequestsPerSecond = 0.00001
const minRequestsPerMinute = 0.0006

const limits = {
  requestsPerSecond: z.number().min(minRequestsPerSecond).max(10_000).describe('At an even pace.'),
  requestsPerMinute: z
    .number()
    .min(minRequestsPerMinute)
    .max(600_000)
    .describe('At an even pace, so that no 60 seconds see more.'),
  requestsPerDay: z.number().int().min(1).max(1_000_000_000).describe('Of a day in UTC.'),
  requestsPerMonth: z.number().int().min(1).max(1_000_000_000).describe('Of a month in UTC.'),
  maxInFlight: z.number().int().min(1).max(1_000),
  minIntervalMs: durationMs,
  maxIntervalMs: durationMs,
  deadlineMs: durationMs,
}

const limitsSchema = z
  .strictObject(limits)
  .partial()
  .meta({ id: 'Limits', description: 'Limits on requests to the provider. An absent limit is the provider’s default.' })

const changedLimitsSchema = z
  .strictObject({
    requestsPerSecond: limits.requestsPerSecond.nullable(),
    requestsPerMinute: limits.requestsPerMinute.nullable(),
    requestsPerDay: limits.requestsPerDay.nullable(),
    requestsPerMonth: limits.requestsPerMonth.nullable(),
    maxInFlight: limits.maxInFlight.nullable(),
    minIntervalMs: limits.minIntervalMs.nullable(),
    maxIntervalMs: limits.maxIntervalMs.nullable(),
    deadlineMs: limits.deadlineMs.nullable(),
  })
  .partial()
  .meta({ id: 'ChangedLimits', description: 'An absent limit stays; null restores the provider’s default.' })

export const baseUrlSchema = z.string().min(1).max(2_048)

/** The fields that are the same for every provider. */
export const commonFields = {
  limits: limitsSchema.optional(),
  volatileFields: volatileFieldsSchema.optional(),
  baselineBy: baselineBySchema.optional(),
}

export const putConnectionSchema = z.strictObject({
  provider: providerNameSchema,
  baseUrl: baseUrlSchema.optional(),
  credentials: z.record(z.string(), z.unknown()),
  settings: z.record(z.string(), z.unknown()).optional(),
  ...commonFields,
})

export type PutConnectionInput = z.infer<typeof putConnectionSchema>

/** The same fields in a change. */
export const commonChanges = {
  baseUrl: baseUrlSchema.nullable().optional().describe('Null: the provider’s default.'),
  limits: changedLimitsSchema.optional(),
  volatileFields: volatileFieldsSchema.optional(),
  baselineBy: baselineBySchema.optional(),
}

export const patchConnectionSchema = putConnectionSchema.partial().extend(commonChanges)

export type PatchConnectionInput = z.infer<typeof patchConnectionSchema>

export interface CheckedConnection {
  provider: string
  /** Of an uploaded document. Null: the provider comes with the service. */
  providerRevision: number | null
  providerFacts: ProviderFacts | null
  baseUrl: string | null
  credentials: unknown
  settings: Record<string, unknown>
  limits: StoredLimits
  volatileFields: string[]
  baselineBy: string[]
}

const namePattern = /^[A-Za-z0-9][A-Za-z0-9._~-]{0,99}$/

/** @throws {AppError} invalid_request */
export function checkName(name: string): void {
  if (!namePattern.test(name))
    throw invalid('name', 'must be 1 to 100 letters, digits, ".", "_", "~" or "-", the first one a letter or digit')
}

/** @throws {AppError} `invalid_request` naming every wrong field. */
export function checkConnection(
  guard: Guard,
  { provider, revision }: CurrentProvider,
  input: PutConnectionInput,
): CheckedConnection {
  const credentials = provider.credentialsSchema.safeParse(input.credentials, { error: issueText })
  const settings = provider.settingsSchema.safeParse(input.settings ?? {}, { error: issueText })
  const errors = [...fieldErrors(credentials.error, 'credentials'), ...errorsBesideCredentials(guard, provider, input)]
  if (errors.length > 0) throw invalidFields(errors)
  return {
    provider: provider.name,
    providerRevision: revision,
    providerFacts: revision === null ? null : factsOf(provider),
    baseUrl: input.baseUrl?.replace(/\/+$/, '') ?? null,
    credentials: credentials.data,
    settings: settings.data as Record<string, unknown>,
    limits: (input.limits ?? {}) as StoredLimits,
    volatileFields: [...new Set(input.volatileFields ?? [])],
    baselineBy: input.baselineBy ?? [],
  }
}

/** Returns what is wrong with the provider's own fields, except the credentials. */
export function errorsBesideCredentials(
  guard: Guard,
  provider: Provider,
  { settings = {}, baseUrl, limits }: Pick<PutConnectionInput, 'settings' | 'baseUrl' | 'limits'>,
): FieldError[] {
  const parsed = provider.settingsSchema.safeParse(settings, { error: issueText })
  return [
    ...fieldErrors(parsed.error, 'settings'),
    ...baseUrlErrors(guard, provider, baseUrl),
    ...limitErrors(provider, limits),
  ]
}

function baseUrlErrors(guard: Guard, provider: Provider, baseUrl: string | undefined) {
  const wrong = (message: string) => [{ field: 'baseUrl', message }]
  if (baseUrl === undefined)
    return provider.defaultBaseUrl === null ? wrong(`is required: ${provider.name} has no default`) : []
  const refusal = guard.checkUrl(baseUrl)
  if (refusal !== null) return wrong(refusal)
  return baseUrl.includes('?') ? wrong('must have no query') : []
}

function limitErrors(provider: Provider, limits: PutConnectionInput['limits']) {
  const { minIntervalMs, maxIntervalMs } = effectiveLimits(provider, (limits ?? {}) as StoredLimits)
  if (minIntervalMs <= maxIntervalMs) return []
  const message = `must not be above maxIntervalMs (${minIntervalMs} > ${maxIntervalMs}, the provider’s defaults included)`
  return [{ field: 'limits.minIntervalMs', message }]
}
