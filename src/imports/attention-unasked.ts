// Owns what asks for attention though nobody may ask the provider: the connection is paused or blocked, or has used up its
// day or month. No poll would tell it. polling/ tells it of imports that are asked about.
import { type SQL, sql } from 'drizzle-orm'
import type { Clock } from '../base/clock.ts'
import type { Database } from '../db/client.ts'
import type { Attention, ImportEventType } from '../model/import-state.ts'
import { writeImportEvents } from './transition.ts'

interface Deps {
  db: Database
  clock: Clock
}

/** How many imports one call tells of at most. The next call continues. */
const batchSize = 200

/** Shows `budget` as the attention of imports whose polls are due. What ranks above it stays. Returns how many. */
export function tellWaiting({ db, clock }: Deps): Promise<number> {
  const now = clock.now()
  const where = sql`c.used_up_until > ${now} AND p.due_at <= ${now} AND (i.attention IS NULL OR i.attention IN ('stalled', 'overdue'))`
  return tell(db, 'budget', where, now)
}

/** Shows `overdue` as the attention of imports that take longer than nearly all before them. Returns how many. */
export function tellOverdue({ db, clock }: Deps): Promise<number> {
  const now = clock.now()
  const where = sql`(c.paused_at IS NOT NULL OR c.blocked_until > ${now} OR c.used_up_until > ${now})
    AND p.overdue_at <= ${now} AND i.attention IS NULL`
  return tell(db, 'overdue', where, now)
}

/** `overdue` is told by an event once in a run. */
function tell(db: Database, attention: Attention, where: SQL, now: Date): Promise<number> {
  const isToldOnce = attention === 'overdue'
  return db.transaction(async (tx) => {
    const { rows } = await tx.execute<{ id: string; wasTold: boolean }>(sql`
      /* import.tell_unasked */
      WITH found AS MATERIALIZED (
        SELECT i.id, ${attention} = ANY (i.attentions_told) AS was_told
        FROM connections c JOIN polling p ON p.connection_id = c.id JOIN imports i ON i.id = p.import_id
        WHERE ${where}
        ORDER BY i.id LIMIT ${batchSize}
        FOR NO KEY UPDATE OF i SKIP LOCKED
      )
      UPDATE imports i SET
        attention = ${attention},
        attentions_told = CASE WHEN ${isToldOnce} AND NOT was_told THEN array_append(i.attentions_told, ${attention}) ELSE i.attentions_told END
      FROM found WHERE i.id = found.id
      RETURNING i.id, was_told AS "wasTold"`)
    const type: ImportEventType = isToldOnce ? 'import.overdue' : 'import.attention'
    await writeImportEvents(
      tx,
      rows.flatMap(({ id, wasTold }) => (wasTold ? [] : [{ importId: id, types: [type], at: now }])),
    )
    return rows.length
  })
}
