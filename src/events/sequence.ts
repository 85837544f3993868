// Owns numbering the events of an import: from 1, without a gap, in the order of their commits.
import { sql } from 'drizzle-orm'
import type { Transaction } from '../db/client.ts'

/**
 * Returns the next sequence of each event's import, in the given order. Returns null for an event without an import.
 * The update locks the import's row until the transaction ends, so the next event waits. A rollback returns the
 * numbers.
 */
export async function takeSequences(
  tx: Transaction,
  events: readonly { importId: string | null }[],
): Promise<(number | null)[]> {
  const importIds = events.flatMap(({ importId }) => importId ?? [])
  if (importIds.length === 0) return events.map(() => null)
  const { rows } = await tx.execute<{ id: string; last: number }>(sql`
    /* event.take_sequences */
    WITH given AS (SELECT id, count(*)::int AS events FROM unnest(${sql.param(importIds)}::uuid[]) AS id GROUP BY id),
    taken AS (
      UPDATE imports SET last_sequence = last_sequence + given.events FROM given WHERE imports.id = given.id
      RETURNING imports.id, last_sequence - given.events AS last
    )
    SELECT id, last FROM taken`)
  const last = new Map(rows.map((row) => [row.id, row.last]))
  return events.map(({ importId }) => {
    const before = importId === null ? undefined : last.get(importId)
    if (importId === null || before === undefined) return null
    last.set(importId, before + 1)
    return before + 1
  })
}
