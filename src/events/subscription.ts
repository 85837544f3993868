// Owns which events an endpoint wants: by type, connection, provider and metadata. The one place that says so.
import { sql } from 'drizzle-orm'

/**
 * Whether `endpoint` (a row of webhook_endpoints) wants `event` (type, connection_name, provider, metadata,
 * endpoint_id). What a filter asks about and the event doesn't have, such as a connection, doesn't match. An endpoint
 * doesn't get what is about itself.
 */
export const isWanted = sql`(
  event.type = ANY (endpoint.types)
  AND (endpoint.connections IS NULL OR event.connection_name = ANY (endpoint.connections))
  AND (endpoint.providers IS NULL OR event.provider = ANY (endpoint.providers))
  AND (endpoint.metadata IS NULL OR event.metadata @> endpoint.metadata)
  AND endpoint.id IS DISTINCT FROM event.endpoint_id)`
