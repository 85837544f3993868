// Owns recording what single polls told, each in a transaction of its own.
import type { Database } from '../../src/db/client.ts'
import * as ends from '../../src/imports/end.ts'
import type { Stored } from '../../src/imports/observation.ts'
import * as changes from '../../src/imports/record.ts'
import * as polls from '../../src/imports/record-unchanged.ts'

/** Stale: another answer was stored since it was asked for, or nobody tracks the import any more. */
export type Recorded = 'stored' | 'stale'

export async function recordReport(db: Database, change: changes.ChangedReport): Promise<Recorded> {
  return outcome(change, await db.transaction((tx) => changes.recordReports(tx, [change])))
}

export function recordUnchanged(db: Database, round: readonly polls.UnchangedPoll[]): Promise<Stored> {
  return db.transaction((tx) => polls.recordUnchanged(tx, round))
}

export async function recordLost(db: Database, lost: ends.LostImport): Promise<Recorded> {
  return outcome(lost, await db.transaction((tx) => ends.recordLost(tx, lost)))
}

export async function recordSettled(db: Database, settled: ends.SettledImport): Promise<Recorded> {
  return outcome(settled, await db.transaction((tx) => ends.recordSettled(tx, settled)))
}

function outcome({ importId }: { importId: string }, { ids }: Stored): Recorded {
  return ids.has(importId) ? 'stored' : 'stale'
}
