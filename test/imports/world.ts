// Owns what the tests of imports share: a database, a clock, a connection, and imports with reports as polls bring them.
import { and, asc, eq } from 'drizzle-orm'
import { afterAll, beforeAll } from 'vitest'
import { newId } from '../../src/base/ids.ts'
import { type Checkpoint, loadCheckpoint } from '../../src/collecting/checkpoint.ts'
import {
  connections,
  deliveries,
  detailPages,
  events,
  imports,
  rowResults,
  skippedLines,
  snapshots,
  webhookEndpoints,
} from '../../src/db/schema/index.ts'
import { fingerprintOf } from '../../src/imports/fingerprint.ts'
import type { ChangedReport, LostImport, Observation } from '../../src/imports/record.ts'
import type { UnchangedPoll } from '../../src/imports/record-unchanged.ts'
import { type ImportState, isOver } from '../../src/model/import-state.ts'
import { type DetailPage, type Report, unknownRows } from '../../src/providers/contract.ts'
import { type ManualClock, manualClock } from '../support/clock.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'

type ImportRow = typeof imports.$inferSelect

export interface ImportWorld {
  clock: ManualClock
  database: TestDatabase
  db: TestDatabase['db']
  connection(
    columns?: Partial<typeof connections.$inferInsert>,
  ): Promise<{ id: string; name: string; provider: string }>
  /** An import that was registered, as far as `columns` say. */
  tracked(columns?: Partial<typeof imports.$inferInsert>): Promise<ImportRow>
  /** An endpoint that wants all that happens to imports of the connection. */
  endpoint(connection: string, columns?: Partial<typeof webhookEndpoints.$inferInsert>): Promise<string>
  row(importId: string): Promise<ImportRow>
  /** Where its collection stands, under whatever lease it has. */
  checkpoint(importId: string): Promise<Checkpoint | null>
  eventsOf(importId: string): Promise<(typeof events.$inferSelect)[]>
  eventTypesOf(importId: string): Promise<string[]>
  deliveriesTo(endpointId: string): Promise<(typeof deliveries.$inferSelect)[]>
  snapshotsOf(importId: string): Promise<(typeof snapshots.$inferSelect)[]>
  pagesOf(importId: string): Promise<(typeof detailPages.$inferSelect)[]>
  rowResultsOf(importId: string): Promise<(typeof rowResults.$inferSelect)[]>
  skippedLinesOf(importId: string): Promise<(typeof skippedLines.$inferSelect)[]>
  /** An answer to a poll of the import as it is given: it comes a second later, and says what `report` says. */
  changed(row: ImportRow, report: Partial<Report>, more?: Partial<ChangedReport>): Promise<ChangedReport>
  unchanged(row: ImportRow, more?: Partial<UnchangedPoll>): UnchangedPoll
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

  const connectionOf = async ({ connectionId }: ImportRow) => {
    const [found] = await world.db.select().from(connections).where(eq(connections.id, connectionId))
    if (!found) throw new Error(`no connection ${connectionId}`)
    return { id: found.id, name: found.name, provider: found.provider }
  }
  const seen = (row: ImportRow): Observation => {
    clock.advance(1_000)
    return { importId: row.id, expectedPolls: row.polls, polledAt: clock.now(), failedCall: null }
  }

  return Object.assign(world, {
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
    async tracked(columns = {}) {
      const now = clock.now()
      const connectionId = columns.connectionId ?? (await world.connection()).id
      const required = {
        jobId: `job-${number++}`,
        state: 'pending',
        registeredAt: now,
        deadlineMs: 3_600_000,
        deadlineAt: new Date(now.getTime() + 3_600_000),
        nextPollAt: now,
        metadata: {},
      }
      const [row] = await world.db
        .insert(imports)
        .values({ ...required, ...columns, connectionId })
        .returning()
      if (!row) throw new Error('nothing was inserted')
      return row
    },
    async endpoint(connection, columns = {}) {
      const now = clock.now()
      const id = newId()
      const required = { url: 'https://example.com/', types: allTypes, secret: '', createdAt: now, updatedAt: now }
      await world.db.insert(webhookEndpoints).values({ ...required, connections: [connection], ...columns, id })
      return id
    },
    async row(importId) {
      const [row] = await world.db.select().from(imports).where(eq(imports.id, importId))
      if (!row) throw new Error(`no import ${importId}`)
      return row
    },
    async checkpoint(importId) {
      const { collectLeaseUntil } = await world.row(importId)
      return loadCheckpoint(world.db, importId, collectLeaseUntil ?? clock.now(), clock.now())
    },
    eventsOf: (importId) => world.db.select().from(events).where(eq(events.importId, importId)).orderBy(asc(events.id)),
    eventTypesOf: async (importId) => (await world.eventsOf(importId)).map(({ type }) => type),
    deliveriesTo: (endpointId) => world.db.select().from(deliveries).where(eq(deliveries.endpointId, endpointId)),
    snapshotsOf: (importId) =>
      world.db.select().from(snapshots).where(eq(snapshots.importId, importId)).orderBy(asc(snapshots.id)),
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
        from: row.state as ImportState,
        to,
        lostReason: null,
        attention: null,
        attentionEvent: null,
        heldOutcome: null,
        lastError: null,
        progressChanges: [],
        nextPollAt: isOver(to) ? null : new Date(observation.polledAt.getTime() + 2_000),
        polls: 1,
        ...more,
      }
    },
    unchanged(row, more = {}) {
      const observation = seen(row)
      return {
        ...observation,
        sameReport: true,
        nextPollAt: new Date(observation.polledAt.getTime() + 2_000),
        attention: null,
        pollFailures: 0,
        notFoundPolls: 0,
        notFoundSince: null,
        heldOutcome: null,
        lastError: null,
        ...more,
      }
    },
    async lost(row, more = {}) {
      return {
        ...seen(row),
        connection: await connectionOf(row),
        from: row.state as ImportState,
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
