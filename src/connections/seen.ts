// Owns which fields of a connection a form shows, and the digests of them that it sends back with its change.
import { and, eq, isNull } from 'drizzle-orm'
import { notFound } from '../api/refusal.ts'
import { type Fields, sealSeen } from '../api/seen.ts'
import type { Encryption } from '../base/encryption.ts'
import type { Database } from '../db/client.ts'
import { connections } from '../db/schema/index.ts'
import type { CheckedConnection } from './input.ts'
import type { ConnectionRow } from './present.ts'
import { openCredentials } from './secrets.ts'

/** By name, with the credentials. Of limits and settings each is a field. */
export function fieldsOf(encryption: Encryption, row: ConnectionRow): Fields {
  return givenFieldsOf({ ...row, credentials: openCredentials(encryption, row) })
}

export function givenFieldsOf({ settings, limits, ...rest }: CheckedConnection): Fields {
  const { provider, providerRevision, baseUrl, baselineBy, volatileFields, credentials } = rest
  const inner = Object.entries({ settings, limits }).flatMap(([group, values]) =>
    Object.entries(values).map(([key, value]) => [`${group}.${key}`, value] as const),
  )
  return { provider, providerRevision, baseUrl, baselineBy, volatileFields, credentials, ...Object.fromEntries(inner) }
}

/** Returns what a form that shows the connection sends back with its changes. @throws {AppError} not_found */
export async function readSeen(
  { db, encryption }: { db: Database; encryption: Encryption },
  name: string,
): Promise<string> {
  const [row] = await db
    .select()
    .from(connections)
    .where(and(eq(connections.name, name), isNull(connections.deletedAt)))
  if (!row) throw notFound('connection')
  return sealSeen(encryption, row.id, fieldsOf(encryption, row))
}
