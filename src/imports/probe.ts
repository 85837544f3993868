// Owns which import probes a paused connection, by a poll or a collection. An import that wasn't refused itself comes
// first, because a refusal may concern that import alone.
import { sql } from 'drizzle-orm'
import type { Transaction } from '../db/client.ts'

interface Wanted {
  /** The kind of work that the caller begins. A probe that is better made by the other kind is left to that kind. */
  kind: 'poll' | 'collect'
  connectionIds: readonly string[]
  /** Imports whose work of this kind is under way. */
  busy: readonly string[]
  now: Date
}

/** Returns the imports that probe, at most one a connection. */
export async function findProbes(
  tx: Transaction,
  { kind, connectionIds, busy, now }: Wanted,
): Promise<{ id: string; connectionId: string }[]> {
  if (connectionIds.length === 0) return []
  const { rows } = await tx.execute<{ id: string; connectionId: string }>(sql`
    /* import.probe */
    SELECT probe.id, c.id AS "connectionId"
    FROM unnest(${sql.param(connectionIds)}::uuid[]) AS c (id)
    CROSS JOIN LATERAL (
      SELECT * FROM (
        SELECT i.id, 'poll' AS kind, i.refused_since IS NOT NULL AS refused, p.due_at
        FROM polling p JOIN imports i ON i.id = p.import_id
        WHERE p.connection_id = c.id AND p.due_at <= ${now}
        UNION ALL
        SELECT id, 'collect', coalesce(details_error ->> 'code' IN ('unauthorized', 'forbidden'), false), next_collect_at
        FROM imports WHERE connection_id = c.id AND next_collect_at <= ${now}
      ) due ORDER BY refused, due_at LIMIT 1
    ) probe
    WHERE probe.kind = ${kind} AND probe.id <> ALL(${sql.param(busy)}::uuid[])`)
  return rows
}
