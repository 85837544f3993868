// Owns how the API shows a connection: everything except its credentials, which it never returns.
import { z } from 'zod'
import { usageOf } from '../budget/budget.ts'
import { spendingOf } from '../budget/spending.ts'
import type { connections } from '../db/schema/index.ts'
import { effectiveLimits } from '../model/limits.ts'
import { defaultsOf } from '../providers/facts.ts'

export type ConnectionRow = typeof connections.$inferSelect

/**
 * - `unauthorized`: the provider refuses the credentials (401).
 * - `forbidden`: the provider has refused several imports (403) and answered nothing in between.
 */
export const pauseReasons = ['unauthorized', 'forbidden'] as const
export type PauseReason = (typeof pauseReasons)[number]

const time = z.iso.datetime()

const effectiveLimitsSchema = z
  .object({
    requestsPerSecond: z.number().nullable(),
    requestsPerMinute: z.number().nullable(),
    requestsPerDay: z.number().nullable(),
    requestsPerMonth: z.number().nullable(),
    maxInFlight: z.number(),
    minIntervalMs: z.number(),
    maxIntervalMs: z.number(),
    deadlineMs: z.number(),
  })
  .meta({
    id: 'EffectiveLimits',
    description: 'The limits in force: the connection’s own, otherwise its provider’s defaults.',
  })

export const connectionSchema = z
  .object({
    name: z.string(),
    provider: z.string(),
    providerRevision: z
      .number()
      .int()
      .nullable()
      .describe('The revision of its uploaded document at the last `PUT`. Null: the provider comes with the service.'),
    baseUrl: z.string().nullable().describe('Null: the provider’s default.'),
    settings: z.record(z.string(), z.unknown()),
    limits: effectiveLimitsSchema.partial().meta({ id: 'OwnLimits', description: 'The limits as a caller set them.' }),
    effectiveLimits: effectiveLimitsSchema,
    volatileFields: z
      .array(z.string())
      .describe('Fields whose changes make no new snapshot, besides the provider’s own.'),
    baselineBy: z
      .array(z.string())
      .describe('Keys of the metadata that tell apart imports that differ in how long they take.'),
    pausedAt: time.nullable().describe('Since when only a probe every few minutes asks the provider.'),
    pauseReason: z
      .enum(pauseReasons)
      .nullable()
      .describe('`unauthorized`: the provider refuses the credentials. `forbidden`: it refuses several imports.'),
    blockedUntil: time
      .nullable()
      .describe('The provider asked for no calls before this moment: 429, or 503 with `Retry-After`.'),
    usage: z
      .object({
        month: z.string().describe('The month in UTC, as `2026-11`.'),
        used: z.number().int().describe('Requests to the provider in this month, whatever for.'),
        left: z.number().int().nullable().describe('Null: the month has no limit.'),
        runsOutAt: time
          .nullable()
          .describe('When nothing will be left, at the rate of about the last day. Null: it lasts, or has no limit.'),
      })
      .meta({ id: 'Usage', description: 'What the connection has used of its requests a month.' }),
    usualDurationMs: z.number().int().nullable().describe('The median duration of its imports. Null: none has ended.'),
    createdAt: time,
    updatedAt: time,
  })
  .meta({ id: 'Connection', description: 'An account at a provider. Credentials are never shown.' })

export type ApiConnection = z.infer<typeof connectionSchema>

export function presentConnection(row: ConnectionRow, usualDurationMs: number | null, now: Date): ApiConnection {
  const limits = effectiveLimits(defaultsOf(row), row.limits)
  const usage = usageOf(limits, spendingOf(row), row.createdAt.getTime(), now.getTime())
  return {
    name: row.name,
    provider: row.provider,
    providerRevision: row.providerRevision,
    baseUrl: row.baseUrl,
    settings: row.settings,
    limits: row.limits,
    effectiveLimits: limits,
    volatileFields: row.volatileFields,
    baselineBy: row.baselineBy,
    pausedAt: row.pausedAt?.toISOString() ?? null,
    pauseReason: row.pauseReason as PauseReason | null,
    blockedUntil: row.blockedUntil?.toISOString() ?? null,
    usage: { ...usage, runsOutAt: usage.runsOutAt === null ? null : new Date(usage.runsOutAt).toISOString() },
    usualDurationMs,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  }
}
