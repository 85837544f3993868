// Owns re-encrypting stored secrets with the first key of ENCRYPTION_KEYS, so that older keys can be removed.
import { asc, eq, gt } from 'drizzle-orm'
import { DecryptionError, type Encryption } from '../base/encryption.ts'
import { contextOf } from '../connections/tokens.ts'
import type { Database, Transaction } from '../db/client.ts'
import { connections, connectionTokens, webhookEndpoints } from '../db/schema/index.ts'

export interface Rotation {
  /** How many rows were re-encrypted. */
  rotated: number
  /** The ids of rows with a secret that no accepted key can read. They stay as they are. */
  unreadable: string[]
}

const batchSize = 500

/**
 * Re-encrypts every stored secret, each row in a transaction of its own. So it may run beside the service, and more
 * than once. The service must accept both keys meanwhile.
 */
export async function rotateKeys({
  db,
  encryption,
}: {
  db: Database
  encryption: Encryption
}): Promise<{ connections: Rotation; webhookEndpoints: Rotation }> {
  return {
    connections: await rotateRows(
      (after) => idsAfter(db, connections, after),
      (id) => db.transaction((tx) => rotateConnection(tx, encryption, id)),
    ),
    webhookEndpoints: await rotateRows(
      (after) => idsAfter(db, webhookEndpoints, after),
      (id) => db.transaction((tx) => rotateEndpoint(tx, encryption, id)),
    ),
  }
}

async function rotateConnection(tx: Transaction, encryption: Encryption, id: string): Promise<boolean> {
  const [row] = await tx.select().from(connections).where(eq(connections.id, id)).for('update')
  if (!row) return false
  const isTokenRotated = await rotateToken(tx, encryption, id)
  const credentials = renew(encryption, row.credentials, `connection:${id}`)
  if (credentials === row.credentials) return isTokenRotated
  await tx.update(connections).set({ credentials }).where(eq(connections.id, id))
  return true
}

async function rotateToken(tx: Transaction, encryption: Encryption, id: string): Promise<boolean> {
  const [row] = await tx.select().from(connectionTokens).where(eq(connectionTokens.connectionId, id)).for('update')
  const sealed = row?.sealed ? renew(encryption, row.sealed, contextOf(id)) : null
  if (sealed === null || sealed === row?.sealed) return false
  await tx.update(connectionTokens).set({ sealed }).where(eq(connectionTokens.connectionId, id))
  return true
}

async function rotateEndpoint(tx: Transaction, encryption: Encryption, id: string): Promise<boolean> {
  const [row] = await tx.select().from(webhookEndpoints).where(eq(webhookEndpoints.id, id)).for('update')
  if (!row) return false
  const context = `endpoint:${id}`
  const secret = renew(encryption, row.secret, context)
  const headers = row.headers === null ? null : renew(encryption, row.headers, context)
  const previousSecrets = row.previousSecrets.map((previous) => ({
    ...previous,
    secret: renew(encryption, previous.secret, context),
  }))
  const isSame =
    secret === row.secret &&
    headers === row.headers &&
    previousSecrets.every((previous, index) => previous.secret === row.previousSecrets[index]?.secret)
  if (isSame) return false
  await tx.update(webhookEndpoints).set({ secret, headers, previousSecrets }).where(eq(webhookEndpoints.id, id))
  return true
}

/** A deleted row has empty values. */
function renew(encryption: Encryption, value: string, context: string): string {
  if (value === '' || !encryption.isStale(value)) return value
  return encryption.encrypt(encryption.decrypt(value, context), context)
}

async function rotateRows(
  read: (after: string | null) => Promise<string[]>,
  rotate: (id: string) => Promise<boolean>,
): Promise<Rotation> {
  const rotation: Rotation = { rotated: 0, unreadable: [] }
  let after: string | null = null
  for (;;) {
    const ids: string[] = await read(after)
    for (const id of ids) {
      try {
        if (await rotate(id)) rotation.rotated++
      } catch (error) {
        if (!(error instanceof DecryptionError)) throw error
        rotation.unreadable.push(id)
      }
    }
    after = ids.at(-1) ?? null
    if (after === null) return rotation
  }
}

async function idsAfter(
  db: Database,
  table: typeof connections | typeof webhookEndpoints,
  after: string | null,
): Promise<string[]> {
  const rows = await db
    .select({ id: table.id })
    .from(table)
    .where(after === null ? undefined : gt(table.id, after))
    .orderBy(asc(table.id))
    .limit(batchSize)
  return rows.map((row) => row.id)
}
