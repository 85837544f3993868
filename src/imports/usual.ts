// Owns how long imports usually take, as they show it: as those of their kind, where the connection tells kinds apart,
// and as all of their connection otherwise.
import { sql } from 'drizzle-orm'
import { kindOf, leastOfKind } from '../baselines/kind.ts'
import type { Database, Transaction } from '../db/client.ts'
import { unnest } from '../db/unnest.ts'
import type { ConnectionOfImport, ImportRow } from './columns.ts'
import { type ApiImport, presentImport } from './present.ts'

export interface FoundImport {
  row: ImportRow
  connection: ConnectionOfImport
}

/** Returns imports as the API shows them, in their order. */
export async function presentImports(
  db: Database | Transaction,
  found: readonly FoundImport[],
  now: Date,
): Promise<ApiImport[]> {
  const usual = await usualOfKinds(db, found)
  return found.map(({ row, connection }) => {
    const usualDurationMs = usual.get(keyOf(row.connectionId, kindOf(connection.baselineBy, row.metadata)))
    return presentImport({ ...row, usualDurationMs: usualDurationMs ?? row.usualDurationMs }, connection, now)
  })
}

/** Nearly always no connection tells kinds apart, and nothing is read. */
async function usualOfKinds(
  db: Database | Transaction,
  found: readonly FoundImport[],
): Promise<ReadonlyMap<string, number>> {
  const kinds = new Map<string, { ofConnection: string; ofKind: string }>()
  for (const { row, connection } of found) {
    if (connection.baselineBy.length === 0) continue
    const ofKind = kindOf(connection.baselineBy, row.metadata)
    kinds.set(keyOf(row.connectionId, ofKind), { ofConnection: row.connectionId, ofKind })
  }
  if (kinds.size === 0) return new Map()
  const { rows } = await db.execute<{ connectionId: string; kind: string; medianMs: number }>(sql`
    /* baseline.of_kinds */
    SELECT connection_id AS "connectionId", kind, median_ms::float8 AS "medianMs"
    FROM ${unnest('wanted', [...kinds.values()], { ofConnection: 'uuid', ofKind: 'text' })}
    JOIN baselines ON connection_id = of_connection AND kind = of_kind
    WHERE (history ->> 'ended')::int >= ${leastOfKind}`)
  return new Map(rows.map(({ connectionId, kind, medianMs }) => [keyOf(connectionId, kind), medianMs]))
}

function keyOf(connectionId: string, kind: string): string {
  return `${connectionId} ${kind}`
}
