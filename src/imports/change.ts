// Owns changing imports on a caller's word: locked, judged, changed, told by an event and written down with the caller,
// in one transaction.
import { eq, inArray } from 'drizzle-orm'
import type { ActionVerb } from '../actions/verbs.ts'
import { type Acting, writeAction } from '../actions/write.ts'
import { AppError, notFound } from '../api/refusal.ts'
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
  /** What the caller does to an import by itself, with what more there is to know. */
  verb: ActionVerb
  details?: Record<string, unknown> | null
  /** Prepares the change, and returns further columns to set. */
  prepare?: (tx: Transaction) => Promise<Partial<typeof imports.$inferSelect>>
}

type Decide = (row: ImportRow) => Change | null

/** @throws {AppError} `not_found`, or what `decide` throws. */
export function changeImport(
  { db, by }: { db: Database } & Acting,
  importId: string,
  now: Date,
  decide: Decide,
): Promise<void> {
  return db.transaction(async (tx) => {
    const [found] = await lock(tx, [importId])
    if (!found) throw notFound('import')
    const changed = await change(tx, found, decide)
    if (!changed) return
    await finish(tx, [changed], now)
    const { row, verb, details = null } = changed
    await writeAction(tx, by, { at: now, verb, subject: { id: row.id, name: row.jobId }, details, importIds: [row.id] })
  })
}

/**
 * Changes many imports in the caller's transaction, which also writes down who did so. Those that `decide` refuses, or
 * leaves as they are, stay so. Returns the ids of those that were changed.
 */
export async function changeImports(
  tx: Transaction,
  { importIds, now, decide }: { importIds: readonly string[]; now: Date; decide: Decide },
): Promise<string[]> {
  const changed: Changed[] = []
  for (const found of await lock(tx, importIds)) {
    const one = await unlessRefused(change(tx, found, decide))
    if (one) changed.push(one)
  }
  await finish(tx, changed, now)
  return changed.map(({ row }) => row.id)
}

type Found = Awaited<ReturnType<typeof lock>>[number]
type Changed = Found & Pick<Change, 'event' | 'verb' | 'details'>

/** In the order of their ids, as every transaction that locks several. */
function lock(tx: Transaction, importIds: readonly string[]) {
  return selectImports(tx)
    .where(inArray(imports.id, [...importIds]))
    .orderBy(imports.id)
    .for('no key update', { of: imports })
}

async function change(tx: Transaction, found: Found, decide: Decide): Promise<Changed | null> {
  const decided = decide(found.row)
  if (!decided) return null
  const set = { ...decided.set, ...(await decided.prepare?.(tx)) }
  if (Object.keys(set).length > 0) await tx.update(imports).set(set).where(eq(imports.id, found.row.id))
  const { event, verb, details } = decided
  return { ...found, event, verb, ...(details && { details }) }
}

async function unlessRefused<Value>(work: Promise<Value>): Promise<Value | null> {
  try {
    return await work
  } catch (error) {
    if (error instanceof AppError) return null
    throw error
  }
}

async function finish(tx: Transaction, changed: readonly Changed[], now: Date): Promise<void> {
  if (changed.length === 0) return
  // An import that had ended no longer counts on the day of that end. Its event marks the day of a new one.
  for (const [id, its] of Map.groupBy(changed, ({ connection }) => connection.id))
    await markDays(
      tx,
      [id],
      its.map(({ row }) => row.finishedAt),
    )
  const happened = changed.map(({ row, event }) => ({ importId: row.id, types: event ? [event] : [], at: now }))
  await writeImportEvents(tx, happened)
}
