import { randomUUID } from 'node:crypto'
import type { SQL } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { after } from '../../src/base/clock.ts'
import { oldestDue as oldestCollection } from '../../src/collecting/work.ts'
import { historyTables } from '../../src/config/config.ts'
import { connectionsToServe } from '../../src/connections/rooms.ts'
import { isMigrated, migrate } from '../../src/db/migrate.ts'
import { listEvents, listImportEvents } from '../../src/events/feed.ts'
import { writeEvent } from '../../src/events/write.ts'
import { monthOf } from '../../src/history/months.ts'
import { listSnapshots, selectSnapshots } from '../../src/imports/history.ts'
import type { Observation } from '../../src/imports/observation.ts'
import type { ChangedReport } from '../../src/imports/record.ts'
import { listRowResults, listSkippedLines } from '../../src/imports/rows.ts'
import { oldestDue as oldestPoll } from '../../src/polling/work.ts'
import type { Report } from '../../src/providers/contract.ts'
import { listAttempts, listDeliveries } from '../../src/webhooks/deliveries/read.ts'
import { recordReport, recordUnchanged } from '../imports/recording.ts'
import { idAt, monthsBetween, monthsOf } from '../reporting/history.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { migrateUpTo } from '../support/older-schema.ts'
import { aReport } from '../support/worlds/polls.ts'

/** Before history was kept by the month. */
const before = '0000_track_imports'
const now = new Date()
const clock = { now: () => now }
const lease = after(now, 60_000)
const page = { limit: 100 }
let database: TestDatabase

/** Months ago, and in the past of all partitions that the migration makes for what comes. */
const months = [0, -1, -3, -9, -20]
interface Stored {
  id: string
  snapshotId: string
  deliveryId: string
}
const stored: Stored[] = []
let rowsBefore: Record<string, Record<string, unknown>[]>

beforeAll(async () => {
  database = await createTestDatabase()
  await migrateUpTo(database, before)
  for (const ago of months) stored.push(await fill(idMaker(monthOf(now, ago)), ago))
  stored.push(await fill(() => `0f${randomUUID().slice(2)}`, -1)) // no UUIDv7: of some month around 2500
  await database.pool.query(`INSERT INTO events (id, type, occurred_at, body) VALUES ($1, 'webhook.test', $2, '{}')`, [
    idAt(now),
    now,
  ])
  rowsBefore = await allRows(
    'connections imports detail_pages webhook_endpoints deliveries snapshots skipped_lines row_results events delivery_attempts',
  )
  await migrate(database)
})
afterAll(() => database.close())

describe('a database from before history was kept by the month', () => {
  test('is brought up to date with every row as it was', async () => {
    expect(await isMigrated(database)).toBe(true)
    const rowsAfter = await allRows(Object.keys(rowsBefore).join(' '))
    const { rows: polled } = await database.pool.query(
      'SELECT import_id, connection_id, due_at, polls, failures, not_founds, seen FROM polling ORDER BY import_id',
    )
    expect(polled).toEqual(
      rowsBefore.imports?.map(({ id, connection_id, next_poll_at, polls }) => ({
        ...{ import_id: id, connection_id, due_at: new Date(String(next_poll_at)), polls },
        ...{ failures: 0, not_founds: 0, seen: 2 },
      })),
    )
    rowsBefore.imports = rowsBefore.imports?.map((row) => without(row, movedToPolling)) ?? []
    rowsBefore.deliveries = rowsBefore.deliveries?.map((row) => without(row, ['lease_until'])) ?? []
    for (const [table, rows] of Object.entries(rowsBefore)) {
      expect(rows.length, table).toBeGreaterThanOrEqual(stored.length)
      expect(rowsAfter[table], table).toHaveLength(rows.length)
      expect(rowsAfter[table], table).toMatchObject(rows)
    }
    await migrate(database) // and may be told again
  })

  test('has partitions for the months of its data, and from last month to three months ahead', async () => {
    const ahead = monthsBetween(monthOf(now, -1), monthOf(now, 3))
    const past = months.flatMap((ago) => monthsBetween(monthOf(now, ago), monthOf(now, ago)))
    for (const table of historyTables)
      expect((await monthsOf(database, table)).filter((month) => month < '2400')).toEqual(
        [...new Set([...past, ...ahead])].sort(),
      )
  })

  test('has the events of its imports numbered, with the bytes that they were signed with', async () => {
    const { rows } = await database.pool.query(
      `SELECT e.sequence, i.last_sequence AS last, e.body FROM events e LEFT JOIN imports i ON i.id = e.import_id ORDER BY 1`,
    )
    expect(rows.filter(({ sequence }) => sequence === 1)).toHaveLength(stored.length)
    for (const { sequence, last, body } of rows) {
      expect(sequence).toBe(last)
      expect(body).not.toContain('sequence')
    }
    const [first] = stored
    const { rows: connections } = await database.pool.query(`SELECT id, name, provider FROM connections LIMIT 1`)
    const event = { type: 'import.stopped', importId: first?.id ?? '', occurredAt: now, data: {} } as const
    const of = { connectionId: connections[0].id as string, connectionName: null }
    await database.db.transaction((tx) => writeEvent(tx, { ...event, ...of }))
    const { data } = await listImportEvents(database, first?.id ?? '', page)
    expect(data.map(({ sequence }) => sequence)).toEqual([1, 2])
  })

  test('has no foreign keys on what is kept by the month, and the keys and indexes of the schema on every partition', async () => {
    const { rows: foreign } = await database.pool.query(
      `SELECT conname FROM pg_constraint WHERE contype = 'f'
       AND (conrelid = ANY ($1::regclass[]) OR confrelid = ANY ($1::regclass[]))`,
      [[...historyTables]],
    )
    expect(foreign).toEqual([])
    const { rows } = await database.pool.query(
      `SELECT kept.name, array_agg(DISTINCT (SELECT count(*)::int FROM pg_index WHERE indrelid = inhrelid AND indisvalid)) AS counts
       FROM unnest($1::text[]) AS kept (name) JOIN pg_inherits ON inhparent = kept.name::regclass GROUP BY 1 ORDER BY 1`,
      [[...historyTables]],
    )
    expect(rows).toEqual([
      { name: 'delivery_attempts', counts: [2] },
      { name: 'events', counts: [4] },
      { name: 'row_results', counts: [1] },
      { name: 'skipped_lines', counts: [1] },
      { name: 'snapshots', counts: [1] },
    ])
  })

  test('is read as before', async () => {
    for (const { id, deliveryId } of stored) {
      expect((await listSnapshots(database, id, page)).data).toHaveLength(2)
      expect((await listSkippedLines(database, id, page)).data).toEqual([{ line: 7, column: null, page: 0 }])
      expect((await listRowResults(database, id, page)).data).toMatchObject([{ row: 0, recordId: 'ü' }])
      expect((await listImportEvents(database, id, page)).data[0]).toMatchObject({ importId: id, sequence: 1 })
      expect((await listDeliveries(database, { ...page, importId: id })).data).toMatchObject([{ id: deliveryId }])
      expect((await listAttempts(database, deliveryId, page)).data).toMatchObject([{ responseSnippet: 'thanks' }])
    }
    const recent = (await listEvents({ ...database, clock }, page)).data
    expect(recent.map(({ importId }) => importId)).toContain(stored[0]?.id)
  })

  test('goes on where it stood: what was under way is due again, and reports extend the snapshots that there were', async () => {
    const all = rowsBefore.connections?.map(({ id }) => id).sort()
    const due = (kind: 'poll' | 'collect', oldestDue: SQL) =>
      connectionsToServe(database.db, { kind, oldestDue, limit: 100 }, now)
    expect((await due('poll', oldestPoll(now))).sort()).toEqual(all)
    expect((await due('collect', oldestCollection(now))).sort()).toEqual(all)
    await recordUnchanged(
      database.db,
      stored.map(({ id }) => ({
        ...seen(id, 3),
        sameReport: true,
        dueAt: now,
        failures: 0,
        notFounds: 0,
        notFoundSince: null,
        note: null,
      })),
    )
    for (const { id, snapshotId } of stored) {
      const shown = (await selectSnapshots(database.db, id)).toSorted((a, b) => b.polls - a.polls)
      expect(shown).toMatchObject([{ id: snapshotId, polls: 3, lastSeenAt: now }, { polls: 1 }])
      const report = aReport({ message: 'new' })
      expect(await recordReport(database.db, changed(id, report))).toBe('stored')
      expect((await listSnapshots(database, id, page)).data).toHaveLength(3)
    }
  })
})

function seen(importId: string, expectedPolls: number): Observation {
  const connection = { id: importId, provider: 'cdq', hasPages: true } // nothing is counted for it
  return { importId, expectedPolls, from: 'running', polledAt: now, failedCall: null, connection }
}

function changed(importId: string, report: Report): ChangedReport {
  return {
    ...seen(importId, 4),
    answer: { report, missing: null, details: null },
    fingerprint: 'another',
    to: 'running',
    lostReason: null,
    attention: null,
    attentionEvent: null,
    heldOutcome: null,
    lastError: null,
    progressChanges: [],
    dueAt: now,
    polls: 1,
  }
}

/** Ids of a month, a second after one another. */
function idMaker(month: Date): () => string {
  let at = month.getTime()
  return () => {
    at += 1_000
    return idAt(new Date(at))
  }
}

/** An import that is polled and collected at once, as none would be, with a row in each table, in the schema as it was. */
async function fill(newId: () => string, monthsAgo: number): Promise<Stored> {
  const [connection, id, endpoint, older, snapshotId, event, ofConnection, deliveryId] = Array.from(
    { length: 8 },
    newId,
  )
  const moment = monthsAgo === 0 ? now : monthOf(now, monthsAgo)
  const query = (text: string, values: unknown[]) => database.pool.query(text, values)
  await query(
    `INSERT INTO connections (id, name, provider, credentials, settings, limits, created_at, updated_at)
     VALUES ($1::uuid, $1::text, 'cdq', 'sealed', '{}', '{"maxInFlight": 2}', $2, $2)`,
    [connection, moment],
  )
  await query(
    `INSERT INTO imports (id, connection_id, job_id, state, registered_at, deadline_ms, deadline_at, polls, next_poll_at,
       poll_lease_until, next_collect_at, collect_lease_until, details_state, skipped_lines, row_results, snapshot_id,
       fingerprint, metadata)
     VALUES ($1, $2, 'job', 'running', $3, 1000, $3, 3, $3, $4, $3, $4, 'collecting', 1, 1, $5, 'same', '{"run": 1}')`,
    [id, connection, moment, lease, snapshotId],
  )
  await query(`INSERT INTO detail_pages VALUES ($1, 0, 'a', 'b', 1, 1, $2)`, [id, moment])
  for (const [snapshot, polls] of [
    [older, 1],
    [snapshotId, 2],
  ])
    await query(
      `INSERT INTO snapshots (id, import_id, state, provider_status, progress, message, rows, body, first_seen_at, last_seen_at, polls)
       VALUES ($1, $2, 'running', 'RUNNING', 0.5, 'ü', '{"total": 5}', '{"a": [1, null]}', $3, $3, $4)`,
      [snapshot, id, moment, polls],
    )
  await query('INSERT INTO skipped_lines VALUES ($1, 0, 0, 7, NULL)', [id])
  await query(`INSERT INTO row_results VALUES ($1, 0, 0, 'ü', true, false, 'E1', 'why', '{"item": 1}')`, [id])
  await query(
    `INSERT INTO webhook_endpoints (id, url, types, secret, created_at, updated_at) VALUES ($1, 'https://x', '{a,b}', 's', $2, $2)`,
    [endpoint, moment],
  )
  const body = JSON.stringify({ type: 'import.running', timestamp: moment.toISOString(), data: { text: 'ü' } })
  await query(
    `INSERT INTO events (id, type, import_id, connection_id, endpoint_id, occurred_at, body, position)
     VALUES ($1, 'import.running', $2, $3, NULL, $4, $5, nextval('event_positions')),
       ($6, 'connection.paused', NULL, $3, $7, $4, $5, NULL)`,
    [event, id, connection, moment, body, ofConnection, endpoint],
  )
  await query(
    `INSERT INTO deliveries (id, event_id, endpoint_id, state, attempts, next_attempt_at, lease_until, created_at)
     VALUES ($1, $2, $3, 'pending', 1, $4, $5, $4)`,
    [deliveryId, event, endpoint, moment, lease],
  )
  await query(`INSERT INTO delivery_attempts VALUES ($1, 1, true, $2, 12, 'http_error', 500, 'thanks')`, [
    deliveryId,
    moment,
  ])
  return { id, snapshotId, deliveryId } as Stored
}

async function allRows(tables: string): Promise<Record<string, Record<string, unknown>[]>> {
  const entries = tables.split(' ').map(async (table) => {
    const { rows } = await database.pool.query(`SELECT to_jsonb(t) AS row FROM ${table} t`)
    const asText = rows.map(({ row }) => row as Record<string, unknown>)
    return [table, asText.sort((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1))] as const
  })
  return Object.fromEntries(await Promise.all(entries))
}

/** What `imports` said of polls, or of who asks. */
const movedToPolling = [
  'next_poll_at',
  'poll_lease_until',
  'poll_failures',
  'not_found_polls',
  'not_found_since',
  'collect_lease_until',
]

function without(row: Record<string, unknown>, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(row).filter(([name]) => !names.includes(name)))
}

function keyOf(row: Record<string, unknown>): string {
  return ['id', 'import_id', 'delivery_id', 'page', 'row', 'number'].map((name) => row[name]).join()
}
