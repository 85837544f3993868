// Owns what the tests of imports share: a database, a clock, a connection, and imports with reports as polls bring them.
import { and, asc, eq, getTableColumns } from 'drizzle-orm'
import { afterAll, beforeAll } from 'vitest'
import { after } from '../../src/base/clock.ts'
import { newId } from '../../src/base/ids.ts'
import { type Checkpoint, loadCheckpoint } from '../../src/collecting/checkpoint.ts'
import {
  connections,
  deliveries,
  detailPages,
  events,
  imports,
  leases,
  polling,
  rowResults,
  skippedLines,
  type snapshots,
  webhookEndpoints,
} from '../../src/db/schema/index.ts'
import { type ImportRow, selectImports } from '../../src/imports/columns.ts'
import type { LostImport } from '../../src/imports/end.ts'
import { fingerprintOf } from '../../src/imports/fingerprint.ts'
import { selectSnapshots } from '../../src/imports/history.ts'
import type { ChangedReport, Note, Observation, UnchangedPoll } from '../../src/imports/record.ts'
import { type ImportState, isOver } from '../../src/model/import-state.ts'
import { type DetailPage, type Report, unknownRows } from '../../src/providers/contract.ts'
import { findProvider } from '../../src/providers/index.ts'
import type { WorkName } from '../../src/work/kind.ts'
import { leaseMs, takeLeases } from '../../src/work/leases.ts'
import { type ManualClock, manualClock } from '../support/clock.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'

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

export interface ImportWorld {
  clock: ManualClock
  database: TestDatabase
  db: TestDatabase['db']
  connection(
    columns?: Partial<typeof connections.$inferInsert>,
  ): Promise<{ id: string; name: string; provider: string }>
  connectionOf(row: {
    connectionId: string
  }): Promise<{ id: string; name: string; provider: string; hasPages: boolean }>
  /** An import that was registered, as far as `columns` say. */
  tracked(columns?: Partial<typeof imports.$inferInsert> & PollingColumns): Promise<Tracked>
  /** An endpoint that wants all that happens to imports of the connection. */
  endpoint(connection: string, columns?: Partial<typeof webhookEndpoints.$inferInsert>): Promise<string>
  row(importId: string): Promise<Tracked>
  /** Has a worker serve this owner, with so many requests under way. Returns the lease's id. */
  served(kind: WorkName, ownerId: string, size?: number): Promise<string>
  /** Where its collection stands, under the lease of a worker that has just begun. */
  checkpoint(importId: string): Promise<Checkpoint | null>
  eventsOf(importId: string): Promise<(typeof events.$inferSelect)[]>
  eventTypesOf(importId: string): Promise<string[]>
  deliveriesTo(endpointId: string): Promise<(typeof deliveries.$inferSelect)[]>
  /** As they are shown: the open one with the polls that have seen it so far. */
  snapshotsOf(importId: string): Promise<(typeof snapshots.$inferSelect)[]>
  pagesOf(importId: string): Promise<(typeof detailPages.$inferSelect)[]>
  rowResultsOf(importId: string): Promise<(typeof rowResults.$inferSelect)[]>
  skippedLinesOf(importId: string): Promise<(typeof skippedLines.$inferSelect)[]>
  /** An answer to a poll of the import as it is given: it comes a second later, and says what `report` says. */
  changed(row: ImportRow, report: Partial<Report>, more?: Partial<ChangedReport>): Promise<ChangedReport>
  /** The same report, a second later. What it notes on the import is what `note` says, and that all else is well. */
  unchanged(row: ImportRow, more?: Partial<Omit<UnchangedPoll, 'note'>> & { note?: Partial<Note> }): UnchangedPoll
  lost(row: ImportRow, more?: Partial<LostImport>): Promise<LostImport>
}

const allTypes = [
  'import.running',
  'import.succeeded',
  'import.lost',
  'import.stopped',
  'import.rows_collected',
  'import.attention',
]

/** Call it at the top of a test file: it opens before the tests and closes after them. */
export function useImportWorld(): ImportWorld {
  const clock = manualClock()
  const world = { clock } as ImportWorld
  let number = 0

  beforeAll(async () => {
    const database = await createTestDatabase()
    Object.assign(world, { database, db: database.db })
  })
  afterAll(() => world.database?.close())

  const connectionOf: ImportWorld['connectionOf'] = async ({ connectionId }) => {
    const [found] = await world.db.select().from(connections).where(eq(connections.id, connectionId))
    if (!found) throw new Error(`no connection ${connectionId}`)
    const hasPages = findProvider(found.provider).details !== undefined
    return { id: found.id, name: found.name, provider: found.provider, hasPages }
  }
  const seen = (row: ImportRow): Observation => {
    clock.advance(1_000)
    return {
      importId: row.id,
      expectedPolls: row.polls,
      from: row.state as ImportState,
      polledAt: clock.now(),
      failedCall: null,
      connection: { id: row.connectionId, provider: 'cdq', hasPages: true },
    }
  }

  return Object.assign(world, {
    connectionOf,
    async connection(columns = {}) {
      const now = clock.now()
      const id = newId()
      const required = { provider: 'cdq', credentials: '', settings: {}, limits: {}, createdAt: now, updatedAt: now }
      const [row] = await world.db
        .insert(connections)
        .values({ ...required, name: `connection-${number++}`, ...columns, id })
        .returning()
      return { id, name: row?.name ?? '', provider: row?.provider ?? '' }
    },
    async tracked({ nextPollAt, failures, notFounds, notFoundSince, ...columns } = {}) {
      const now = clock.now()
      const connectionId = columns.connectionId ?? (await world.connection()).id
      const required = {
        jobId: `job-${number++}`,
        state: 'pending' as string,
        registeredAt: now,
        deadlineMs: 3_600_000,
        deadlineAt: after(now, 3_600_000),
        metadata: {},
      }
      const row = { ...required, ...columns, id: columns.id ?? newId(), connectionId }
      const isLive = !isOver(row.state as ImportState)
      const { polls = 0, firstPolledAt, lastPolledAt, ...withoutPolls } = row
      await world.db.insert(imports).values(isLive ? withoutPolls : row)
      const counts = { polls, firstPolledAt, lastPolledAt, failures, notFounds, notFoundSince }
      if (isLive)
        await world.db.insert(polling).values({ importId: row.id, connectionId, dueAt: nextPollAt ?? now, ...counts })
      return world.row(row.id)
    },
    async endpoint(connection, columns = {}) {
      const now = clock.now()
      const id = newId()
      const required = { url: 'https://example.com/', types: allTypes, secret: '', createdAt: now, updatedAt: now }
      await world.db.insert(webhookEndpoints).values({ ...required, connections: [connection], ...columns, id })
      return id
    },
    async row(importId) {
      const [found] = await selectImports(world.db).where(eq(imports.id, importId))
      if (!found) throw new Error(`no import ${importId}`)
      const { failures, notFounds, notFoundSince } = getTableColumns(polling)
      const [counts] = await world.db
        .select({ failures, notFounds, notFoundSince })
        .from(polling)
        .where(eq(polling.importId, importId))
      return { ...found.row, ...(counts ?? { failures: null, notFounds: null, notFoundSince: null }) }
    },
    async served(kind, ownerId, size = 0) {
      const id = newId()
      await world.db.insert(leases).values({ id, kind, ownerId, size, until: after(clock.now(), leaseMs) })
      return id
    },
    async checkpoint(importId) {
      const { connectionId } = await world.row(importId)
      await world.db.delete(leases).where(and(eq(leases.kind, 'collect'), eq(leases.ownerId, connectionId)))
      const [lease] = await takeLeases(world.db, 'collect', [connectionId], clock.now())
      if (!lease) throw new Error('another worker serves it')
      return loadCheckpoint(world.db, importId, lease.id)
    },
    eventsOf: (importId) => world.db.select().from(events).where(eq(events.importId, importId)).orderBy(asc(events.id)),
    eventTypesOf: async (importId) => (await world.eventsOf(importId)).map(({ type }) => type),
    deliveriesTo: (endpointId) => world.db.select().from(deliveries).where(eq(deliveries.endpointId, endpointId)),
    snapshotsOf: (importId) => selectSnapshots(world.db, importId),
    pagesOf: (importId) =>
      world.db.select().from(detailPages).where(eq(detailPages.importId, importId)).orderBy(detailPages.page),
    rowResultsOf: (importId) =>
      world.db
        .select()
        .from(rowResults)
        .where(and(eq(rowResults.importId, importId)))
        .orderBy(rowResults.row),
    skippedLinesOf: (importId) =>
      world.db
        .select()
        .from(skippedLines)
        .where(eq(skippedLines.importId, importId))
        .orderBy(skippedLines.page, skippedLines.position),
    async changed(row, report, more = {}) {
      const said = aReport(report)
      const to = (more.to ?? said.state) as ImportState
      const observation = seen(row)
      return {
        ...observation,
        connection: await connectionOf(row),
        answer: { report: said, missing: null, details: null },
        fingerprint: fingerprintOf(said, { volatileFields: [] }),
        to,
        lostReason: null,
        attention: null,
        attentionEvent: null,
        heldOutcome: null,
        lastError: null,
        progressChanges: [],
        dueAt: isOver(to) ? null : after(observation.polledAt, 2_000),
        polls: 1,
        ...more,
      }
    },
    unchanged(row, { note, ...more } = {}) {
      const observation = seen(row)
      const well: Note = { attention: null, attentionEvent: null, heldOutcome: null, lastError: null }
      const isWell = row.attention === null && row.heldOutcome === null && row.lastError === null
      return {
        ...observation,
        sameReport: true,
        dueAt: after(observation.polledAt, 2_000),
        failures: 0,
        notFounds: 0,
        notFoundSince: null,
        note: note || !isWell ? { ...well, ...note } : null,
        ...more,
      }
    },
    async lost(row, more = {}) {
      return {
        ...seen(row),
        connection: await connectionOf(row),
        reason: 'deadline',
        lastError: null,
        polls: 1,
        ...more,
      }
    },
  } satisfies Partial<ImportWorld>)
}

export function aReport(report: Partial<Report>): Report {
  return {
    state: 'running',
    providerStatus: 'RUNNING',
    message: null,
    progress: null,
    rows: unknownRows,
    createdAt: null,
    startedAt: null,
    finishedAt: null,
    expiresAt: null,
    body: { status: 'RUNNING' },
    ...report,
  }
}

export function aPage(page: Partial<DetailPage>): DetailPage {
  return { skippedLines: [], rowResults: [], next: null, ...page }
}

export function aRowResult(recordId: string): DetailPage['rowResults'][number] {
  return { recordId, created: true, existing: false, error: null }
}
