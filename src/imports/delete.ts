// Owns deleting an import: one transaction deletes everything stored about it, and nothing restores any of it.
//
// A transaction that writes about an import locks the import's row first, or finds the import by it. So a late answer
// to a poll, a page or a webhook waits for the deletion and then finds nothing to write to.
import { eq } from 'drizzle-orm'
import { type Acting, writeAction } from '../actions/write.ts'
import { notFound } from '../api/refusal.ts'
import type { Clock } from '../base/clock.ts'
import { isId } from '../base/ids.ts'
import type { Database, Transaction } from '../db/client.ts'
import { detailPages, imports, polling, rowResults, skippedLines, snapshots } from '../db/schema/index.ts'
import { deleteEventsOf } from '../events/delete.ts'
import { markDays } from '../reporting/daily-outcomes.ts'

/**
 * Deletes an import with its history, rows, events and deliveries. Polling of a live import ends. Its job may be
 * registered again. What callers did to it stays.
 * @throws {AppError} not_found
 */
export async function deleteImport(
  { db, clock, by }: { db: Database; clock: Clock } & Acting,
  importId: string,
): Promise<void> {
  if (!isId(importId)) throw notFound('import')
  await db.transaction(async (tx) => {
    const [row] = await tx.select().from(imports).where(eq(imports.id, importId)).for('update')
    if (!row) throw notFound('import')
    await writeAction(tx, by, {
      at: clock.now(),
      verb: 'import.delete',
      subject: { id: importId, name: row.jobId },
      importIds: [importId],
    })
    // First possibly millions of rows that nobody else needs. Rows that others wait for come last, and quickly.
    for (const table of tables) await tx.delete(table).where(eq(table.importId, importId))
    await deleteEventsOf(tx, importId)
    await tx.delete(imports).where(eq(imports.id, importId))
    await forget(tx, row)
  })
}

const tables = [skippedLines, rowResults, detailPages, snapshots, polling] as const

/** Updates what is derived from imports. New derived data belongs here, too. */
function forget(
  tx: Transaction,
  { connectionId, registeredAt, finishedAt }: typeof imports.$inferSelect,
): Promise<void> {
  return markDays(tx, [connectionId], [registeredAt, finishedAt])
}
