// Owns which fields of an endpoint a form shows, and the digests of them that it sends back with its change.
import { and, eq, isNull } from 'drizzle-orm'
import { notFound } from '../../api/refusal.ts'
import { type Fields, sealSeen } from '../../api/seen.ts'
import { DecryptionError, type Encryption } from '../../base/encryption.ts'
import type { Database } from '../../db/client.ts'
import { webhookEndpoints } from '../../db/schema/index.ts'
import { type CustomHeaders, openHeaders } from './headers.ts'
import type { EndpointRow } from './present.ts'

/** By name, with the values of the headers. */
export function fieldsOf(encryption: Encryption, row: EndpointRow): Fields {
  const { url, types, connections, providers, metadata } = row
  return { url, types, connections, providers, metadata, headers: headersOf(encryption, row) }
}

/** Null: no key opens them any more. */
function headersOf(encryption: Encryption, row: EndpointRow): CustomHeaders | null {
  try {
    return openHeaders(encryption, row)
  } catch (error) {
    if (error instanceof DecryptionError) return null
    throw error
  }
}

/** Returns what a form that shows the endpoint sends back with its changes. @throws {AppError} not_found */
export async function readSeen(
  { db, encryption }: { db: Database; encryption: Encryption },
  id: string,
): Promise<string> {
  const [row] = await db
    .select()
    .from(webhookEndpoints)
    .where(and(eq(webhookEndpoints.id, id), isNull(webhookEndpoints.deletedAt)))
  if (!row) throw notFound('webhook endpoint')
  return sealSeen(encryption, id, fieldsOf(encryption, row))
}
