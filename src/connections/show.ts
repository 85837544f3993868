// Owns showing connections with what is known of their imports.
import { and, eq, inArray } from 'drizzle-orm'
import { everyImport } from '../baselines/kind.ts'
import type { Database, Transaction } from '../db/client.ts'
import { baselines } from '../db/schema/index.ts'
import { type ApiConnection, type ConnectionRow, presentConnection } from './present.ts'

export async function showConnection(
  db: Database | Transaction,
  row: ConnectionRow,
  now: Date,
): Promise<ApiConnection> {
  return presentConnection(row, (await usualDurations(db, [row])).get(row.id) ?? null, now)
}

/** Returns the connections in their order. */
export async function showConnections(
  db: Database | Transaction,
  rows: readonly ConnectionRow[],
  now: Date,
): Promise<ApiConnection[]> {
  const usual = await usualDurations(db, rows)
  return rows.map((row) => presentConnection(row, usual.get(row.id) ?? null, now))
}

async function usualDurations(
  db: Database | Transaction,
  rows: readonly ConnectionRow[],
): Promise<Map<string, number>> {
  const { connectionId, kind, medianMs } = baselines
  const ids = rows.map(({ id }) => id)
  const found = await db
    .select({ connectionId, medianMs })
    .from(baselines)
    .where(and(inArray(connectionId, ids), eq(kind, everyImport)))
  return new Map(found.map((one) => [one.connectionId, one.medianMs]))
}
