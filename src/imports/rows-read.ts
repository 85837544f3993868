// Owns imports that aren't over before their rows are read, because only the rows tell how they ended: what was read, and
// that a poll is due then, which ends them.
import { and, eq, inArray, isNotNull, or, sql } from 'drizzle-orm'
import type { Database, Transaction } from '../db/client.ts'
import { imports, polling, rowResults, type StoredPollError } from '../db/schema/index.ts'
import { type ImportState, isOver } from '../model/import-state.ts'
import type { RowsRead } from '../providers/contract.ts'

/** What was read of an import's rows. The error says why it aren't all. */
export interface ReadRows extends RowsRead {
  error: StoredPollError | null
  /** True: the rows are still being read. */
  goesOn: boolean
}

/**
 * Returns what was read of these imports' rows, of those whose collection is over. Of `nearEnd`, which wait for their
 * rows hardly any longer, also what was read so far.
 */
export async function findRowsRead(
  tx: Database | Transaction,
  importIds: readonly string[],
  nearEnd: ReadonlySet<string> = new Set(),
): Promise<Map<string, ReadRows>> {
  if (importIds.length === 0) return new Map()
  const read = await tx
    .select({ id: imports.id, rows: imports.rowResults, error: imports.detailsError, state: imports.detailsState })
    .from(imports)
    .where(inArray(imports.id, [...importIds]))
  const found = new Map<string, ReadRows>()
  for (const { id, rows, error, state } of read) {
    const goesOn = state !== 'complete' && state !== 'incomplete'
    if (goesOn && !nearEnd.has(id)) continue
    found.set(id, { rows, failed: await countFailedRows(tx, id), error, goesOn })
  }
  return found
}

export async function countFailedRows(tx: Database | Transaction, importId: string): Promise<number> {
  const [counted] = await tx
    .select({ failed: sql<number>`count(*)::int` })
    .from(rowResults)
    .where(
      and(eq(rowResults.importId, importId), or(isNotNull(rowResults.errorCode), isNotNull(rowResults.errorMessage))),
    )
  return counted?.failed ?? 0
}

/**
 * Makes the poll due that ends the import, if it awaited its rows. Returns false if it didn't, or is over.
 */
export async function pollForOutcome(
  tx: Transaction,
  { id, state, heldOutcome }: Pick<typeof imports.$inferSelect, 'id' | 'state' | 'heldOutcome'>,
  now: Date,
): Promise<boolean> {
  if (!heldOutcome?.awaitsRows || isOver(state as ImportState)) return false
  await tx.update(polling).set({ dueAt: now }).where(eq(polling.importId, id))
  return true
}
