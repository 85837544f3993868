// Owns imports in tests: as they are stored, and what their history holds.
import { and, eq, getTableColumns } from 'drizzle-orm'
import { after } from '../../../src/base/clock.ts'
import { newId } from '../../../src/base/ids.ts'
import { type Checkpoint, loadCheckpoint } from '../../../src/collecting/checkpoint.ts'
import {
  detailPages,
  imports,
  leases,
  polling,
  rowResults,
  skippedLines,
  snapshots,
} from '../../../src/db/schema/index.ts'
import { type ImportRow, selectImports } from '../../../src/imports/columns.ts'
import { selectSnapshots } from '../../../src/imports/history.ts'
import { type ImportState, isOver } from '../../../src/model/import-state.ts'
import type { WorkName } from '../../../src/work/kind.ts'
import { leaseMs, takeLeases } from '../../../src/work/leases.ts'
import { only } from '../only.ts'
import type { connectionsIn } from './connections.ts'
import { type Ground, unique } from './ground.ts'

/** An import as it is shown, and what its polls count beside it while it is live. */
export type Tracked = ImportRow & {
  failures: number | null
  notFounds: number | null
  notFoundSince: Date | null
}

/** What an import that is live has in `polling`, and one that is over doesn't have. */
interface PollingColumns {
  nextPollAt?: Date | null
  failures?: number
  notFounds?: number
  notFoundSince?: Date
}

export type ImportColumns = Partial<typeof imports.$inferInsert> & PollingColumns

export function importsIn(ground: Ground, { connection }: Pick<ReturnType<typeof connectionsIn>, 'connection'>) {
  async function importRow(id: string): Promise<Tracked> {
    const { row } = only(await selectImports(ground.db).where(eq(imports.id, id)))
    const { failures, notFounds, notFoundSince } = getTableColumns(polling)
    const [counts] = await ground.db
      .select({ failures, notFounds, notFoundSince })
      .from(polling)
      .where(eq(polling.importId, id))
    return { ...row, ...(counts ?? { failures: null, notFounds: null, notFoundSince: null }) }
  }

  return {
    importRow,
    /** An import that was registered, as far as `columns` say. */
    async import({ nextPollAt, failures, notFounds, notFoundSince, ...columns }: ImportColumns = {}): Promise<Tracked> {
      const now = ground.clock.now()
      const connectionId = columns.connectionId ?? (await connection()).id
      const required = {
        jobId: unique('job'),
        state: 'pending' as string,
        registeredAt: now,
        deadlineMs: 3_600_000,
        deadlineAt: after(now, 3_600_000),
        metadata: {},
      }
      const id = columns.id ?? newId()
      const row = { ...required, ...columns, id, connectionId }
      const isLive = !isOver(row.state as ImportState)
      const { polls = 0, firstPolledAt, lastPolledAt, ...withoutPolls } = row
      await ground.db.insert(imports).values(isLive ? withoutPolls : row)
      const counts = { polls, firstPolledAt, lastPolledAt, failures, notFounds, notFoundSince }
      if (isLive)
        await ground.db.insert(polling).values({ importId: id, connectionId, dueAt: nextPollAt ?? now, ...counts })
      return importRow(id)
    },
    /** Has a worker serve this owner, with so many requests under way. Returns the lease's id. */
    async served(kind: WorkName, ownerId: string, size = 0): Promise<string> {
      const id = newId()
      await ground.db.insert(leases).values({ id, kind, ownerId, size, until: after(ground.clock.now(), leaseMs) })
      return id
    },
    /** Where its collection stands, under the lease of a worker that has just begun. */
    async checkpoint(importId: string): Promise<Checkpoint | null> {
      const { connectionId } = await importRow(importId)
      await ground.db.delete(leases).where(and(eq(leases.kind, 'collect'), eq(leases.ownerId, connectionId)))
      const [lease] = await takeLeases(ground.db, 'collect', [connectionId], ground.clock.now())
      if (!lease) throw new Error('another worker serves it')
      return loadCheckpoint(ground.db, importId, lease.id)
    },
    async snapshot(columns: { importId: string } & Partial<typeof snapshots.$inferInsert>): Promise<void> {
      const now = ground.clock.now()
      const required = { state: 'running', rows: {}, body: {}, firstSeenAt: now, lastSeenAt: now, polls: 1 }
      await ground.db.insert(snapshots).values({ ...required, ...columns })
    },
    /** The lines of each page; those that are given as null have neither a line nor a column. */
    async skippedLines(importId: string, pages: (number | null)[][]): Promise<void> {
      const rows = pages.flatMap((lines, page) =>
        lines.map((line, position) => ({ importId, page, position, line, column: line === null ? null : 1 })),
      )
      await ground.db.insert(skippedLines).values(rows)
    },
    async rowResults(importId: string, rows: Partial<typeof rowResults.$inferInsert>[]): Promise<void> {
      await ground.db.insert(rowResults).values(rows.map((row, index) => ({ row: index, page: 0, ...row, importId })))
    },
    /** As they are shown: the open one with the polls that have seen it so far. */
    snapshotsOf: (importId: string) => selectSnapshots(ground.db, importId),
    pagesOf: (importId: string) =>
      ground.db.select().from(detailPages).where(eq(detailPages.importId, importId)).orderBy(detailPages.page),
    skippedLinesOf: (importId: string) =>
      ground.db
        .select()
        .from(skippedLines)
        .where(eq(skippedLines.importId, importId))
        .orderBy(skippedLines.page, skippedLines.position),
    rowResultsOf: (importId: string) =>
      ground.db.select().from(rowResults).where(eq(rowResults.importId, importId)).orderBy(rowResults.row),
  }
}
