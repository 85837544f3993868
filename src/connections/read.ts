// Owns reading connections as the API shows them.
import { and, eq, gt, isNull } from 'drizzle-orm'
import { type Page, type PageQuery, pageOf, readCursor, textKey } from '../api/paging.ts'
import { notFound } from '../api/refusal.ts'
import type { Clock } from '../base/clock.ts'
import type { Encryption } from '../base/encryption.ts'
import type { Database } from '../db/client.ts'
import { connections } from '../db/schema/index.ts'
import type { ApiConnection, PauseReason } from './present.ts'
import { openCredentials } from './secrets.ts'
import { showConnection, showConnections } from './show.ts'

interface Deps {
  db: Database
  clock: Clock
}

/** @throws {AppError} not_found */
export async function getConnection({ db, clock }: Deps, name: string): Promise<ApiConnection> {
  const [row] = await db
    .select()
    .from(connections)
    .where(and(eq(connections.name, name), isNull(connections.deletedAt)))
  if (!row) throw notFound('connection')
  return showConnection(db, row, clock.now())
}

/** Since when and why a connection isn't asked, and when one import tries it again. */
export type Pause = Pick<ApiConnection, 'pauseReason'> & { pausedAt: string; nextProbeAt: string | null }

/** Returns null if the connection isn't paused, or isn't there. */
export async function findPause({ db }: { db: Database }, name: string): Promise<Pause | null> {
  const { pausedAt, pauseReason, nextProbeAt } = connections
  const [row] = await db
    .select({ pausedAt, pauseReason, nextProbeAt })
    .from(connections)
    .where(and(eq(connections.name, name), isNull(connections.deletedAt)))
  if (!row?.pausedAt) return null
  return {
    pausedAt: row.pausedAt.toISOString(),
    pauseReason: row.pauseReason as PauseReason | null,
    nextProbeAt: row.nextProbeAt?.toISOString() ?? null,
  }
}

export async function isConnection({ db }: { db: Database }, name: string): Promise<boolean> {
  const isNamed = and(eq(connections.name, name), isNull(connections.deletedAt))
  return (await db.select({ id: connections.id }).from(connections).where(isNamed)).length > 0
}

/** Returns the names of the stored credentials, of none if no key opens them any more. @throws {AppError} not_found */
export async function getCredentialNames(
  { db, encryption }: { db: Database; encryption: Encryption },
  name: string,
): Promise<string[]> {
  const [row] = await db
    .select({ id: connections.id, credentials: connections.credentials })
    .from(connections)
    .where(and(eq(connections.name, name), isNull(connections.deletedAt)))
  if (!row) throw notFound('connection')
  return Object.keys((openCredentials(encryption, row) ?? {}) as Record<string, unknown>)
}

/** Returns connections in the order of their names. */
export async function listConnections({ db, clock }: Deps, { limit, after }: PageQuery): Promise<Page<ApiConnection>> {
  const cursor = readCursor(after, textKey)
  const rows = await db
    .select()
    .from(connections)
    .where(and(isNull(connections.deletedAt), cursor ? gt(connections.name, cursor[0]) : undefined))
    .orderBy(connections.name)
    .limit(limit + 1)
  return pageOf(await showConnections(db, rows, clock.now()), limit, (connection) => [connection.name])
}
