// Owns restoring dropped partitions of a month, empty, because an import will write to it again.
import { sql } from 'drizzle-orm'
import { AppError } from '../api/refusal.ts'
import type { Transaction } from '../db/client.ts'
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
 * Makes an import's history writable until the transaction ends, however long ago the import was registered. It stays
 * writable as long as the import is tracked (drop-months.ts).
 * @throws {AppError} `unavailable` while months are being dropped; `conflict` if an operator has detached the month.
 */
export async function reopenMonthOf(tx: Transaction, importId: string, now: Date): Promise<void> {
  const month = monthOf(madeAt(importId))
  if (monthOf(month, 2) > now) return // no retention is this short
  const busy = new AppError('unavailable', 'Months of history are being dropped just now; try again soon.')
  if (!(await lockPartitions(tx))) throw busy
  try {
    const stored = await storedPartitions(tx)
    for (const table of tablesOfImports) {
      const there = stored.find((one) => isSame(one, { table, month }))
      if (there?.state !== 'attached') await reopen(tx, { table, month }, there)
    }
  } catch (error) {
    throw isLockTimeout(error) ? busy : error
  }
}

async function reopen(tx: Transaction, partition: Partition, stored: StoredPartition | undefined): Promise<void> {
  const name = nameOfPartition(partition)
  if (stored?.state === 'detaching')
    await tx.execute(sql`ALTER TABLE ${sql.identifier(partition.table)} DETACH PARTITION ${name} FINALIZE`)
  if (stored && !stored.isMarked)
    throw new AppError(
      'conflict',
      `The month's history (${partition.table}) was detached by hand, such as to archive it; attach it again, or rename it.`,
    )
  if (stored) await tx.execute(sql`DROP TABLE ${name}`)
  await makePartition(tx, partition)
}
