// Owns changing one import on a caller's word: locked, judged, changed, and told by an event, in one transaction.
import { eq } from 'drizzle-orm'
import { notFound } from '../api/refusal.ts'
import type { Database, Transaction } from '../db/client.ts'
import { imports } from '../db/schema/index.ts'
import type { ImportEventType } from '../model/import-state.ts'
import { markDays } from '../reporting/daily-outcomes.ts'
import { type ImportRow, selectImports } from './columns.ts'
import { writeImportEvents } from './transition.ts'

/** The columns to set, and the event to write. Null: none. */
export interface Change {
  set: Partial<typeof imports.$inferSelect>
  event: ImportEventType | null
  /** Prepares the change, and returns further columns to set. */
  prepare?: (tx: Transaction) => Promise<Partial<typeof imports.$inferSelect>>
}

/** @throws {AppError} `not_found`, or what `decide` throws. */
export function changeImport(
  db: Database,
  importId: string,
  now: Date,
  decide: (row: ImportRow) => Change | null,
): Promise<void> {
  return db.transaction(async (tx) => {
    const found = await lock(tx, importId)
    const change = decide(found.row)
    if (!change) return
    const set = { ...change.set, ...(await change.prepare?.(tx)) }
    if (Object.keys(set).length > 0) await tx.update(imports).set(set).where(eq(imports.id, importId))
    // An import that had ended no longer counts on the day of that end. Its event marks the day of a new one.
    await markDays(tx, [found.connection.id], [found.row.finishedAt])
    if (change.event) await writeImportEvents(tx, [{ importId, types: [change.event], at: now }])
  })
}

async function lock(tx: Transaction, importId: string) {
  const [found] = await selectImports(tx).where(eq(imports.id, importId)).for('no key update', { of: imports })
  if (!found) throw notFound('import')
  return found
}
