// What is done all the time touches the one month that it is about, however many there are.

import { sql } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { type Database, openDatabase, type Transaction } from '../../src/db/client.ts'
import { beginAttempts } from '../../src/delivering/begin.ts'
import { recordAttempts } from '../../src/delivering/record.ts'
import { nameOf } from '../../src/history/months.ts'
import { listSnapshots } from '../../src/imports/history.ts'
import { recordReports } from '../../src/imports/record.ts'
import { recordUnchanged as recordUnchangedIn } from '../../src/imports/record-unchanged.ts'
import { listSkippedLines } from '../../src/imports/rows.ts'
import { recordReport, recordUnchanged } from '../imports/recording.ts'
import { useDelivering } from '../support/worlds/delivering.ts'

const world = useDelivering()

/** The partitions that the statements of the work had to lock. */
async function touchedBy(url: string, work: (tx: Database & Transaction) => Promise<unknown>): Promise<string[]> {
  const { db, close } = openDatabase(url, { maxConnections: 1, onError: () => {} })
  try {
    await db.execute('BEGIN')
    await work(db as Database & Transaction) // which the connection is in
    const { rows } = await db.execute<{ name: string }>(sql`
      SELECT DISTINCT relname AS name FROM pg_locks JOIN pg_class ON pg_class.oid = relation
      WHERE pid = pg_backend_pid() AND relispartition AND relkind = 'r' ORDER BY 1`)
    await db.execute('ROLLBACK')
    return rows.map(({ name }) => name)
  } finally {
    await close()
  }
}

const thisMonth = (table: string) => `${table}_${nameOf(new Date())}`
const monthOfClock = (table: string) => `${table}_${nameOf(world.clock.now())}`

test('recording polls', async () => {
  const rows = [await world.import(), await world.import()]
  for (const row of rows) await recordReport(world.db, await world.changed(row, {}))
  const polls = await Promise.all(rows.map(async ({ id }) => world.unchanged(await world.importRow(id))))
  expect(await touchedBy(world.database.url, (tx) => recordUnchangedIn(tx, polls))).toEqual([])
  await recordUnchanged(world.db, polls) // so that the snapshots have something to be told when they close
  const changes = await Promise.all(
    rows.map(async ({ id }) => world.changed(await world.importRow(id), { progress: 0.5 })),
  )
  expect(await touchedBy(world.database.url, (tx) => recordReports(tx, changes))).toEqual([thisMonth('snapshots')])
  for (const { id } of rows) expect((await world.snapshotsOf(id)).map((snapshot) => snapshot.polls)).toEqual([2])
})

test('reading the history of an import', async () => {
  const { id } = await world.import()
  const page = { limit: 10 }
  expect(await touchedBy(world.database.url, (db) => listSnapshots({ db }, id, page))).toEqual([thisMonth('snapshots')])
  expect(await touchedBy(world.database.url, (db) => listSkippedLines({ db }, id, page))).toEqual([
    thisMonth('skipped_lines'),
  ])
})

test('an attempt at a delivery', async () => {
  const { clock, deps, database } = world
  const { id } = await world.endpoint({ url: 'http://127.0.0.1:9/' })
  await world.event()
  const touched = await touchedBy(database.url, async (tx) => {
    const [owners, now] = [[{ id, underWay: new Map(), isQuick: false }], clock.now()]
    const { items } = await beginAttempts(deps, tx, { owners, room: 10, crowd: 'roomy', now })
    const answered = { outcome: 'delivered', status: 204, retryAfterMs: null, responseSnippet: null } as const
    const result = { ...answered, errorCode: null, error: null }
    const round = items.map((item) => ({ item, result, endedAt: now }))
    expect((await recordAttempts(tx, round, { ...deps, random: () => 0 })).noted).toHaveLength(1)
  })
  expect(touched).toEqual([monthOfClock('delivery_attempts'), thisMonth('events')].sort())
})
