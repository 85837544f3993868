// Owns how a webhook endpoint is shown: everything but its secrets, with the values of its headers masked.
import { z } from 'zod'
import type { webhookEndpoints } from '../../db/schema/index.ts'
import { DecryptionError, type Encryption } from '../../encryption.ts'
import { eventTypes } from '../event-types.ts'
import { maskedValue, openHeaders } from './headers.ts'

export type EndpointRow = typeof webhookEndpoints.$inferSelect

/**
 * - `manual`: somebody disabled it.
 * - `gone`: it answered 410, which says that it wants no webhooks any more.
 */
export const disabledReasons = ['manual', 'gone'] as const
export type DisabledReason = (typeof disabledReasons)[number]

export const endpointSchema = z
  .object({
    id: z.uuid(),
    url: z.string(),
    types: z.array(z.enum(eventTypes)),
    connections: z.array(z.string()).nullable().describe('Null: events of all connections.'),
    headers: z.record(z.string(), z.string()).describe('The names of its own headers; the values are masked.'),
    enabled: z.boolean(),
    disabledReason: z.enum(disabledReasons).nullable().describe('`gone`: it answered 410.'),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: 'WebhookEndpoint' })

export const endpointWithSecretSchema = endpointSchema
  .extend({ secret: z.string().describe('Signs the webhooks; shown this once.') })
  .meta({ id: 'WebhookEndpointWithSecret' })

export type ApiEndpoint = z.infer<typeof endpointSchema>
export type ApiEndpointWithSecret = z.infer<typeof endpointWithSecretSchema>

export function presentEndpoint(encryption: Encryption, row: EndpointRow): ApiEndpoint {
  return {
    id: row.id,
    url: row.url,
    types: row.types as ApiEndpoint['types'],
    connections: row.connections,
    headers: maskedHeaders(encryption, row),
    enabled: row.disabledAt === null,
    disabledReason: row.disabledReason as DisabledReason | null,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  }
}

/** A lost key must not keep an endpoint from being seen, and mended. */
function maskedHeaders(encryption: Encryption, row: EndpointRow): Record<string, string> {
  try {
    return Object.fromEntries(Object.keys(openHeaders(encryption, row)).map((name) => [name, maskedValue]))
  } catch (error) {
    if (error instanceof DecryptionError) return {}
    throw error
  }
}
