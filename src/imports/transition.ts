// Owns writing exactly one event for each transition of an import, and marking the day of an end. Both happen in the
// transaction of the transition.
import { inArray } from 'drizzle-orm'
import type { Transaction } from '../db/client.ts'
import { imports } from '../db/schema/index.ts'
import { writeEvents } from '../events/write.ts'
import type { ImportEventType } from '../model/import-state.ts'
import { markDays } from '../reporting/daily-outcomes.ts'
import { selectImports } from './columns.ts'
import { presentImports } from './usual.ts'

/** The events of an import, in order. */
export interface Happened {
  importId: string
  types: readonly ImportEventType[]
  at: Date
}

/**
 * Writes the events with their deliveries, and marks the days on which imports ended. Each event shows its import as
 * the transaction has left it so far.
 */
export async function writeImportEvents(tx: Transaction, happened: readonly Happened[]): Promise<void> {
  const told = happened.filter(({ types }) => types.length > 0)
  if (told.length === 0) return
  const found = await selectImports(tx).where(
    inArray(
      imports.id,
      told.map(({ importId }) => importId),
    ),
  )
  const byId = new Map(found.map((one) => [one.row.id, one]))
  const at = told[0]?.at ?? new Date(0)
  const shown = await presentImports(tx, found, at)
  const dataOf = new Map(shown.map((one) => [one.id, one]))
  const events = told.flatMap(({ importId, types, at }) => {
    const one = byId.get(importId)
    const data = dataOf.get(importId)
    if (!one || !data) return []
    const { row, connection } = one
    return types.map((type) => ({
      type,
      importId,
      connectionId: connection.id,
      connectionName: connection.name,
      provider: connection.provider,
      metadata: row.metadata,
      occurredAt: at,
      data,
    }))
  })
  await writeEvents(tx, events)
  const ended = found.filter(({ row }) => row.finishedAt !== null)
  await markDays(
    tx,
    ended.map(({ connection }) => connection.id),
    ended.map(({ row }) => row.finishedAt),
  )
}
