// Owns deleting an import: all that is stored of it goes in one transaction, and nothing brings any of it back.
//
// Whoever writes something of an import locks its row first, or finds it by its row. So an answer that comes late, to a
// poll, a page or a webhook, waits for the deletion and finds nothing to write to.
import { eq, type SQL, sql } from 'drizzle-orm'
import { notFound } from '../api/refusal.ts'
import { isId } from '../base/ids.ts'
import type { Database, Transaction } from '../db/client.ts'
import { imports } from '../db/schema/index.ts'
import { deleteEventsOf } from '../events/delete.ts'
import { markDays } from '../reporting/daily-outcomes.ts'

/**
 * Deletes an import with its history, its rows, its events and what was told of them; a live one isn't asked about any
 * more. Its job may be registered anew.
 * @throws {AppError} not_found
 */
export async function deleteImport({ db }: { db: Database }, importId: string): Promise<void> {
  if (!isId(importId)) throw notFound('import')
  await db.transaction(async (tx) => {
    const [row] = await tx.select().from(imports).where(eq(imports.id, importId)).for('update')
    if (!row) throw notFound('import')
    // Millions of rows perhaps, which nobody else wants; what others wait for comes last, and is quick.
    for (const table of tables) await tx.execute(sql`DELETE FROM ${table} WHERE import_id = ${importId}`)
    await deleteEventsOf(tx, importId)
    await tx.delete(imports).where(eq(imports.id, importId))
    await forget(tx, row)
  })
}

const tables: SQL[] = ['skipped_lines', 'row_results', 'detail_pages', 'snapshots', 'polling'].map((name) =>
  sql.raw(name),
)

/** What is derived from imports has to follow: whatever else comes to be kept of them belongs here. */
function forget(
  tx: Transaction,
  { connectionId, registeredAt, finishedAt }: typeof imports.$inferSelect,
): Promise<void> {
  return markDays(tx, [connectionId], [registeredAt, finishedAt])
}
