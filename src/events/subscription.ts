// Owns which events an endpoint subscribes to: by type, connection, provider and metadata. No other place decides it.
import { sql } from 'drizzle-orm'

/**
 * SQL that is true if `endpoint` (a row of webhook_endpoints) subscribes to `event` (type, connection_name, provider,
 * metadata, endpoint_id). A filter on something that the event lacks, such as a connection, doesn't match. An endpoint
 * doesn't get events about itself.
 */
export const isWanted = sql`(
  event.type = ANY (endpoint.types)
  AND (endpoint.connections IS NULL OR event.connection_name = ANY (endpoint.connections))
  AND (endpoint.providers IS NULL OR event.provider = ANY (endpoint.providers))
  AND (endpoint.metadata IS NULL OR event.metadata @> endpoint.metadata)
  AND endpoint.id IS DISTINCT FROM event.endpoint_id)`
