// Owns how a connection is shown: everything but its credentials, which never come back.
import { z } from 'zod'
import type { connections } from '../db/schema/index.ts'
import { effectiveLimits } from '../model/limits.ts'
import { findProvider } from '../providers/index.ts'

export type ConnectionRow = typeof connections.$inferSelect

/**
 * - `unauthorized`: the provider refuses the credentials (401).
 * - `forbidden`: it refused several imports (403), and answered nothing in between.
 */
export const pauseReasons = ['unauthorized', 'forbidden'] as const
export type PauseReason = (typeof pauseReasons)[number]

const time = z.iso.datetime()

const effectiveLimitsSchema = z
  .object({
    requestsPerSecond: z.number().nullable(),
    requestsPerMonth: z.number().nullable(),
    maxInFlight: z.number(),
    minIntervalMs: z.number(),
    maxIntervalMs: z.number(),
    deadlineMs: z.number(),
  })
  .meta({ id: 'EffectiveLimits', description: 'The limits that hold: the connection’s own, else its provider’s.' })

export const connectionSchema = z
  .object({
    name: z.string(),
    provider: z.string(),
    baseUrl: z.string().nullable().describe('Null: the provider’s default.'),
    settings: z.record(z.string(), z.unknown()),
    limits: effectiveLimitsSchema.partial().meta({ id: 'OwnLimits', description: 'The limits as they were set.' }),
    effectiveLimits: effectiveLimitsSchema,
    volatileFields: z.array(z.string()).describe('Fields that make no snapshot a new one, besides the provider’s own.'),
    pausedAt: time.nullable().describe('Since when nothing is asked, but for a probe every few minutes.'),
    pauseReason: z
      .enum(pauseReasons)
      .nullable()
      .describe('`unauthorized`: the provider refuses the credentials. `forbidden`: it refuses several imports.'),
    blockedUntil: time
      .nullable()
      .describe('Nothing is asked before this, because the provider said so: 429, or 503 with `Retry-After`.'),
    createdAt: time,
    updatedAt: time,
  })
  .meta({ id: 'Connection', description: 'An account at a provider. Credentials are never shown.' })

export type ApiConnection = z.infer<typeof connectionSchema>

export function presentConnection(row: ConnectionRow): ApiConnection {
  return {
    name: row.name,
    provider: row.provider,
    baseUrl: row.baseUrl,
    settings: row.settings,
    limits: row.limits,
    effectiveLimits: effectiveLimits(findProvider(row.provider), row.limits),
    volatileFields: row.volatileFields,
    pausedAt: row.pausedAt?.toISOString() ?? null,
    pauseReason: row.pauseReason as PauseReason | null,
    blockedUntil: row.blockedUntil?.toISOString() ?? null,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  }
}
