// Owns how the API shows a webhook endpoint: everything except its secrets, with the values of its headers masked.
import { z } from 'zod'
import { DecryptionError, type Encryption } from '../../base/encryption.ts'
import { isRawNumber } from '../../base/json.ts'
import type { webhookEndpoints } from '../../db/schema/index.ts'
import { eventTypes } from '../../model/event-types.ts'
import { maskedValue, openHeaders } from './headers.ts'

export type EndpointRow = typeof webhookEndpoints.$inferSelect

/**
 * - `manual`: a caller disabled it.
 * - `gone`: the receiver answered 410, so it wants no more webhooks.
 * - `failing`: nothing succeeded for five days, in at least ten attempts.
 */
export const disabledReasons = ['manual', 'gone', 'failing'] as const
export type DisabledReason = (typeof disabledReasons)[number]

const time = z.iso.datetime()

/** The keys and values that metadata must contain. */
export const metadataFilterSchema = z.record(
  z.string(),
  z.custom<string | number | boolean>(isScalar, 'must be a string, a number, true or false').meta({
    override: { type: ['string', 'number', 'boolean'] },
  }),
)

function isScalar(value: unknown): boolean {
  return ['string', 'number', 'boolean'].includes(typeof value) || isRawNumber(value)
}

export const endpointSchema = z
  .object({
    id: z.uuid(),
    url: z.string(),
    types: z.array(z.enum(eventTypes)),
    connections: z.array(z.string()).nullable().describe('Null: events of all connections.'),
    providers: z.array(z.string()).nullable().describe('Null: events of all providers.'),
    metadata: metadataFilterSchema.nullable().describe('Null: events of imports with any metadata.'),
    headers: z.record(z.string(), z.string()).describe('Its own headers by name. The values are masked.'),
    enabled: z.boolean(),
    disabledReason: z
      .enum(disabledReasons)
      .nullable()
      .describe('`gone`: the receiver answered 410. `failing`: nothing succeeded for five days.'),
    failingSince: time.nullable().describe('Since when five or more attempts in a row failed: one is tried at a time.'),
    nextProbeAt: time.nullable().describe('While it is failing: when the next attempt is made.'),
    blockedUntil: time.nullable().describe('The receiver asked for no attempts before this moment (429, 503, …).'),
    lastSuccessAt: time.nullable().describe('To the minute.'),
    createdAt: time,
    updatedAt: time,
  })
  .meta({ id: 'WebhookEndpoint' })

export const endpointWithSecretSchema = endpointSchema
  .extend({ secret: z.string().describe('Signs the webhooks. Shown only this once.') })
  .meta({ id: 'WebhookEndpointWithSecret' })

export type ApiEndpoint = z.infer<typeof endpointSchema>
export type ApiEndpointWithSecret = z.infer<typeof endpointWithSecretSchema>

export function presentEndpoint(encryption: Encryption, row: EndpointRow): ApiEndpoint {
  return {
    id: row.id,
    url: row.url,
    types: row.types as ApiEndpoint['types'],
    connections: row.connections,
    providers: row.providers,
    metadata: row.metadata,
    headers: maskedHeaders(encryption, row),
    enabled: row.disabledAt === null,
    disabledReason: row.disabledReason as DisabledReason | null,
    failingSince: row.failingSince?.toISOString() ?? null,
    nextProbeAt: row.nextProbeAt?.toISOString() ?? null,
    blockedUntil: row.blockedUntil?.toISOString() ?? null,
    lastSuccessAt: row.lastSuccessAt?.toISOString() ?? null,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  }
}

/** If a key is lost, the endpoint can still be shown, and mended. */
function maskedHeaders(encryption: Encryption, row: EndpointRow): Record<string, string> {
  try {
    return Object.fromEntries(Object.keys(openHeaders(encryption, row)).map((name) => [name, maskedValue]))
  } catch (error) {
    if (error instanceof DecryptionError) return {}
    throw error
  }
}
