// Owns that a database is brought up to date which says of each import when to poll it: nothing is lost, and polls go on.
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { after, systemClock } from '../../src/base/clock.ts'
import { createEncryption } from '../../src/base/encryption.ts'
import { newId } from '../../src/base/ids.ts'
import { createLog } from '../../src/base/log.ts'
import { createBaselines } from '../../src/baselines/read.ts'
import { loadCheckpoint } from '../../src/collecting/checkpoint.ts'
import { oldestDue as oldestCollection } from '../../src/collecting/work.ts'
import { createConnectionAccesses } from '../../src/connections/access.ts'
import { connectionsToServe } from '../../src/connections/rooms.ts'
import { isMigrated, migrate } from '../../src/db/migrate.ts'
import type { StoredHeldOutcome } from '../../src/db/schema/index.ts'
import { listSnapshots } from '../../src/imports/history.ts'
import { getImport } from '../../src/imports/read.ts'
import { recordReports } from '../../src/imports/record.ts'
import { recordUnchanged } from '../../src/imports/record-unchanged.ts'
import { listSkippedLines } from '../../src/imports/rows.ts'
import type { TrackedImport } from '../../src/imports/tracked.ts'
import { beginPolls } from '../../src/polling/begin.ts'
import { oldestDue as oldestPoll } from '../../src/polling/work.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { migrateUpTo } from '../support/older-schema.ts'
import { aReport } from '../support/worlds/polls.ts'

/** Before polls had a table of their own. */
const before = '0017_number_events_of_older_versions'
const now = new Date(Math.floor(Date.now() / 1_000) * 1_000)
const ago = (seconds: number) => after(now, -1_000 * seconds)
const ahead = (seconds: number) => after(now, 1_000 * seconds)
const page = { limit: 100 }
const views = ['imports', 'status_periods', 'progress', 'skipped_lines', 'daily_outcomes', 'connections']
const error = { code: 'timeout', message: 'Too slow.', at: ago(30).toISOString() }
const held: StoredHeldOutcome = { state: 'partial', since: ago(60).toISOString(), asked: 2, hasDetails: true }

let database: TestDatabase
let connectionId: string
let viewsBefore: Record<string, unknown[]>
let snapshotsBefore: Record<string, unknown>[]

type Columns = Record<string, unknown>

/** What the older version has stored: columns of the import, and the polls that saw its snapshots, the newest last. */
const stored = {
  running: {
    columns: { state: 'running', next_poll_at: ago(5), polls: 7, fingerprint: 'same', progress: 0.5 },
    seen: [2, 5],
  },
  failing: {
    columns: {
      ...{ state: 'running', next_poll_at: ago(4), polls: 7, poll_failures: 3 },
      last_error: error,
      fingerprint: 'same',
    },
    seen: [4],
  },
  refused: {
    columns: {
      ...{ state: 'queued', next_poll_at: ago(3), polls: 2, poll_failures: 1 },
      last_error: error,
      refused_since: ago(30),
    },
    seen: [1],
  },
  fresh: {
    columns: { state: 'pending', next_poll_at: ahead(60), polls: 0, first_polled_at: null, last_polled_at: null },
    seen: [],
  },
  missing: {
    columns: {
      state: 'pending',
      next_poll_at: ago(3),
      polls: 2,
      not_found_polls: 2,
      not_found_since: ago(20),
      last_error: error,
    },
    seen: [],
  },
  held: {
    columns: {
      ...{ state: 'running', next_poll_at: ago(2), polls: 4, attention: 'outcome_incomplete' },
      ...{ held_outcome: held, last_error: { ...error, code: 'outcome_incomplete' }, fingerprint: 'same' },
    },
    seen: [1, 3],
  },
  asked: {
    columns: { state: 'running', next_poll_at: ago(1), poll_lease_until: ahead(50), polls: 1, fingerprint: 'same' },
    seen: [1],
  },
  collecting: {
    columns: {
      ...{
        state: 'partial',
        polls: 3,
        finished_at: ago(60),
        details_state: 'collecting',
        skipped_lines: 2,
        rows_announced: 4,
      },
      ...{ next_collect_at: ago(5), collect_lease_until: ahead(50), collect_failures: 1, details_error: error },
    },
    seen: [2, 1],
  },
  ended: { columns: { state: 'succeeded', polls: 9, finished_at: ago(3_600), progress: 1 }, seen: [8, 1] },
  stopped: { columns: { state: 'stopped', polls: 6, finished_at: ago(1_800), fingerprint: 'same' }, seen: [6] },
} satisfies Record<string, { columns: Columns; seen: number[] }>
type Name = keyof typeof stored
const names = Object.keys(stored) as Name[]
const ids = Object.fromEntries(names.map((name) => [name, newId()])) as Record<Name, string>
const columnsOf = (name: Name): Columns => stored[name].columns
const live = names.filter((name) => columnsOf(name).next_poll_at !== undefined)

beforeAll(async () => {
  database = await createTestDatabase()
  await migrateUpTo(database, before)
  connectionId = newId()
  await insert('connections', {
    ...{ id: connectionId, name: 'older', provider: 'cdq', credentials: 'sealed', settings: {} },
    ...{ limits: { maxInFlight: 100, requestsPerSecond: 1_000 }, created_at: ago(7_200), updated_at: ago(7_200) },
  })
  for (const name of names) await fill(name)
  await insert('detail_pages', {
    ...{ import_id: ids.collecting, page: 0, cursor: 'a', next_cursor: 'b', skipped_lines: 2, row_results: 0 },
    stored_at: ago(50),
  })
  for (const position of [0, 1])
    await insert('skipped_lines', { import_id: ids.collecting, page: 0, position, line: position + 7, column: 1 })
  viewsBefore = await readViews()
  snapshotsBefore = await readSnapshots()
  await migrate(database)
})
afterAll(() => database.close())

async function fill(name: Name): Promise<void> {
  const { seen } = stored[name]
  const snapshotIds = seen.map(() => newId())
  await insert('imports', {
    ...{ id: ids[name], connection_id: connectionId, job_id: name, registered_at: ago(7_000), metadata: { of: name } },
    ...{ deadline_ms: 86_400_000, deadline_at: ahead(79_000), first_polled_at: ago(6_900), last_polled_at: ago(30) },
    ...{ snapshot_id: snapshotIds.at(-1) ?? null, ...columnsOf(name) },
  })
  for (const [index, polls] of seen.entries())
    await insert('snapshots', {
      ...{ id: snapshotIds[index], import_id: ids[name], state: 'running', provider_status: `STATUS ${index}` },
      ...{
        rows: {},
        body: { index },
        first_seen_at: ago(6_900 - index * 100),
        last_seen_at: ago(6_850 - index * 100),
        polls,
      },
    })
}

async function insert(table: string, columns: Columns): Promise<void> {
  const keys = Object.keys(columns)
  const values = Object.values(columns).map((value) =>
    value !== null && typeof value === 'object' && !(value instanceof Date) ? JSON.stringify(value) : value,
  )
  await database.pool.query(
    `INSERT INTO ${table} (${keys.map((key) => `"${key}"`).join()}) VALUES (${keys.map((_, index) => `$${index + 1}`).join()})`,
    values,
  )
}

async function readViews(): Promise<Record<string, unknown[]>> {
  const read = views.map(async (view) => {
    const { rows } = await database.pool.query(
      `SELECT to_jsonb(v) AS row FROM reporting.${view} v ORDER BY to_jsonb(v)::text`,
    )
    return [view, rows] as const
  })
  return Object.fromEntries(await Promise.all(read))
}

async function readSnapshots(): Promise<Record<string, unknown>[]> {
  return (await database.pool.query('SELECT * FROM snapshots ORDER BY import_id, id')).rows
}

describe('a database from before polls had a table of their own', () => {
  test('is up to date, and its views show the same as before', async () => {
    expect(await isMigrated(database)).toBe(true)
    for (const [view, rows] of Object.entries(viewsBefore)) {
      if (view !== 'daily_outcomes') expect(rows.length, view).toBeGreaterThan(0)
      expect((await readViews())[view], view).toEqual(rows)
    }
    expect(await readSnapshots()).toEqual(snapshotsBefore)
  })

  test.each(names)('shows the import that is %s as before, with its history', async (name) => {
    const columns = columnsOf(name)
    const isFresh = columns.polls === 0
    expect(await getImport({ db: database.db, clock: systemClock }, ids[name])).toMatchObject({
      state: columns.state,
      polls: columns.polls,
      nextPollAt: iso(columns.next_poll_at),
      firstPolledAt: isFresh ? null : iso(ago(6_900)),
      lastPolledAt: isFresh ? null : iso(ago(30)),
      finishedAt: iso(columns.finished_at),
      attention: columns.attention ?? null,
      lastError: columns.last_error ?? null,
      details: { skippedLines: columns.skipped_lines ?? 0, lastError: columns.details_error ?? null },
      metadata: { of: name },
    })
    const { data } = await listSnapshots(database, ids[name], page)
    expect(data.map(({ polls, firstSeenAt, lastSeenAt }) => ({ polls, firstSeenAt, lastSeenAt }))).toEqual(
      stored[name].seen.map((polls, index) => ({
        polls,
        firstSeenAt: iso(ago(6_900 - index * 100)),
        lastSeenAt: iso(ago(6_850 - index * 100)),
      })),
    )
  })

  test('has a collection go on after the page that it had', async () => {
    const due = await connectionsToServe(
      database.db,
      { kind: 'collect', oldestDue: oldestCollection(now), limit: 9 },
      now,
    )
    expect(due).toEqual([connectionId])
    expect(await loadCheckpoint(database.db, ids.collecting, newId())).toMatchObject({
      page: 1,
      cursor: 'b',
      replaces: false,
    })
    expect((await listSkippedLines(database, ids.collecting, page)).data).toHaveLength(2)
  })

  test('has polls go on where they were, also those that were under way', async () => {
    const due = await connectionsToServe(database.db, { kind: 'poll', oldestDue: oldestPoll(now), limit: 9 }, now)
    expect(due).toEqual([connectionId])
    const begun = await begin(now)
    expect(begun.map(({ id }) => id)).toEqual(
      live
        .filter((name) => name !== 'fresh')
        .map((name) => ids[name])
        .sort(),
    )
    for (const tracked of begun) {
      const name = names.find((one) => ids[one] === tracked.id) as Name
      const {
        polls,
        state,
        poll_failures = 0,
        not_found_polls = 0,
        not_found_since = null,
        ...columns
      } = columnsOf(name)
      expect(tracked, name).toMatchObject({
        ...{ polls, state, failures: poll_failures, notFounds: not_found_polls, notFoundSince: not_found_since },
        ...{
          dueAt: columns.next_poll_at,
          heldOutcome: columns.held_outcome ?? null,
          attention: columns.attention ?? null,
        },
        ...{ hasError: columns.last_error !== undefined, isRefused: columns.refused_since !== undefined },
        ...{ fingerprint: columns.fingerprint ?? null },
      })
    }
  })

  test('counts on for the snapshots that are open, which close with all polls that saw them', async () => {
    const polls = (await begin(ahead(60))).map((tracked) => ({
      ...seen(tracked, ahead(60)),
      ...{ sameReport: true, dueAt: ahead(70), failures: 0, notFounds: 0, notFoundSince: null },
      note: { attention: null, attentionEvent: null, heldOutcome: null, lastError: null },
    }))
    const unchanged = await database.db.transaction((tx) => recordUnchanged(tx, polls))
    expect(unchanged.ids.size).toBe(live.length)
    const withSnapshot = live.filter((name) => stored[name].seen.length > 0)
    for (const name of withSnapshot) await expectSeen(name, [...stored[name].seen.slice(0, -1), lastOf(name) + 1])

    const changes = (await begin(ahead(80))).map((tracked) => ({
      ...seen(tracked, ahead(80)),
      ...{ answer: { report: aReport({}), missing: null, details: null }, fingerprint: 'another', to: tracked.state },
      ...{ lostReason: null, attention: null, attentionEvent: null, heldOutcome: null, lastError: null },
      ...{ progressChanges: [], dueAt: ahead(90), polls: 1 as const },
    }))
    const changed = await database.db.transaction((tx) => recordReports(tx, changes))
    expect(changed.ids.size).toBe(live.length)
    for (const name of withSnapshot) await expectSeen(name, [...stored[name].seen.slice(0, -1), lastOf(name) + 1, 1])
    for (const name of live)
      expect(await getImport({ db: database.db, clock: systemClock }, ids[name])).toMatchObject({
        polls: Number(columnsOf(name).polls) + 2,
      })
  })
})

const lastOf = (name: Name): number => [...stored[name].seen].at(-1) ?? 0

async function expectSeen(name: Name, polls: number[]): Promise<void> {
  const { data } = await listSnapshots(database, ids[name], page)
  expect(
    data.map((snapshot) => snapshot.polls),
    name,
  ).toEqual(polls)
}

async function begin(at: Date): Promise<TrackedImport[]> {
  const encryption = createEncryption([randomBytes(32)])
  const accesses = createConnectionAccesses({ db: database.db, encryption, log: createLog('silent') })
  const owners = [{ id: connectionId, underWay: new Map(), isQuick: false }]
  const { items } = await database.db.transaction((tx) =>
    beginPolls({ accesses, baselines: createBaselines() }, tx, { owners, most: 100, now: at }),
  )
  return items.map(({ tracked }) => tracked).sort((a, b) => (a.id < b.id ? -1 : 1))
}

function seen({ id, polls, state }: TrackedImport, polledAt: Date) {
  const connection = { id: connectionId, provider: 'cdq', hasPages: true }
  return { importId: id, expectedPolls: polls, from: state, polledAt, failedCall: null, connection }
}

function iso(time: unknown): string | null {
  return time instanceof Date ? time.toISOString() : null
}
