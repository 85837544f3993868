// Owns that a transition of an import writes exactly one event, and has the day that it ended on computed again, in the
// transaction that makes it.
import type { Transaction } from '../db/client.ts'
import type { imports } from '../db/schema/index.ts'
import { writeEvents } from '../events/write.ts'
import type { ImportEventType } from '../model/import-state.ts'
import { markDays } from '../reporting/daily-outcomes.ts'
import { presentImport } from './present.ts'

export type ImportRow = typeof imports.$inferSelect

/** What an event says of the connection. */
export interface ConnectionOfImport {
  id: string
  name: string
  provider: string
}

/** Writes the events with their deliveries, and marks the day on which the import ended, if it has; `row` is the import as the transaction leaves it. */
export async function writeImportEvents(
  tx: Transaction,
  row: ImportRow,
  connection: ConnectionOfImport,
  types: readonly ImportEventType[],
  at: Date,
): Promise<void> {
  if (types.length === 0) return
  const data = presentImport(row, connection)
  await writeEvents(
    tx,
    types.map((type) => ({
      type,
      importId: row.id,
      connectionId: connection.id,
      connectionName: connection.name,
      provider: connection.provider,
      metadata: row.metadata,
      occurredAt: at,
      data,
    })),
  )
  await markDays(tx, [connection.id], [row.finishedAt])
}
