// Owns bringing back the partitions of a month that was dropped, empty, because something is to be written to it again.
import { sql } from 'drizzle-orm'
import type { HistoryTable } from '../config.ts'
import type { Transaction } from '../db/client.ts'
import { AppError } from '../errors.ts'
import { isLockTimeout } from './lock-timeout.ts'
import { madeAt, monthOf } from './months.ts'
import {
  isSame,
  lockPartitions,
  makePartition,
  nameOfPartition,
  type Partition,
  type StoredPartition,
  storedPartitions,
  tablesOfImports,
} from './partitions.ts'

/**
 * Sees to it that what comes of an import can be stored, however long ago it was registered, from now until the
 * transaction ends; it stays so where the import is tracked then (retention.ts).
 * @returns the tables whose month was gone.
 * @throws {AppError} unavailable, where the month is being dropped just now.
 */
export async function reopenMonthOf(tx: Transaction, importId: string, now: Date): Promise<HistoryTable[]> {
  const month = monthOf(madeAt(importId))
  if (monthOf(month, 2) > now) return [] // no retention is as short as that
  try {
    await lockPartitions(tx)
    const stored = await storedPartitions(tx)
    const gone: HistoryTable[] = []
    for (const table of tablesOfImports) {
      const partition = { table, month }
      if (
        await reopen(
          tx,
          partition,
          stored.find((one) => isSame(one, partition)),
        )
      )
        gone.push(table)
    }
    return gone
  } catch (error) {
    if (isLockTimeout(error))
      throw new AppError('unavailable', 'Its history is being dropped just now; try again soon.')
    throw error
  }
}

/** False: it is there. */
async function reopen(tx: Transaction, partition: Partition, stored: StoredPartition | undefined): Promise<boolean> {
  if (stored?.state === 'attached') return false
  const name = nameOfPartition(partition)
  if (stored?.state === 'detaching')
    await tx.execute(sql`ALTER TABLE ${sql.identifier(partition.table)} DETACH PARTITION ${name} FINALIZE`)
  if (stored?.isMarked) await tx.execute(sql`DROP TABLE ${name}`)
  await makePartition(tx, partition)
  return true
}
