import { randomBytes } from 'node:crypto'
import { sql } from 'drizzle-orm'
import { describe, expect, test, vi } from 'vitest'
import { createEncryption } from '../../src/base/encryption.ts'
import { createLog } from '../../src/base/log.ts'
import { createBaselines } from '../../src/baselines/read.ts'
import { beginCollections } from '../../src/collecting/begin.ts'
import { storeCollectedPage } from '../../src/collecting/checkpoint.ts'
import { createConnectionAccesses } from '../../src/connections/access.ts'
import { beginAttempts } from '../../src/delivering/begin.ts'
import { listEvents } from '../../src/events/feed.ts'
import { deleteImport } from '../../src/imports/delete.ts'
import { registerImport } from '../../src/imports/register.ts'
import { resumeImport } from '../../src/imports/resume.ts'
import { stopImport } from '../../src/imports/stop.ts'
import { beginPolls } from '../../src/polling/begin.ts'
import { redeliver } from '../../src/webhooks/deliveries/redeliver.ts'
import { recoverEndpoint } from '../../src/webhooks/endpoints/recover.ts'
import { replayEndpoint } from '../../src/webhooks/endpoints/replay.ts'
import { aPage, aRowResult } from '../support/worlds/polls.ts'
import { useWorld } from '../support/worlds/world.ts'
import { recordLost, recordReport, recordUnchanged } from './recording.ts'

const world = useWorld()
const types = ['import.running', 'import.succeeded', 'import.lost', 'import.stopped']
const remove = (importId: string) => deleteImport(world, importId)

/** An import that has something in every table: told, collected, delivered. */
async function anImportWithAll(columns: { connectionId?: string } = {}) {
  const tracked = await world.import(columns)
  const running = await world.changed(tracked, { state: 'running' })
  const connection = await world.connectionRow(tracked.connectionId)
  const { id: endpointId } = await world.endpoint({ connections: [connection.name], types })
  await recordReport(world.db, running)
  await recordUnchanged(world.db, [world.unchanged(await world.importRow(tracked.id))])
  const details = aPage({ skippedLines: [{ line: 1, column: 2 }], rowResults: [aRowResult('r')], next: 'more' })
  const partial = await world.changed(await world.importRow(tracked.id), { state: 'partial' })
  await recordReport(world.db, { ...partial, answer: { ...partial.answer, details } })
  await world.db.execute(sql`
    INSERT INTO delivery_attempts (delivery_id, number, manual, started_at, outcome)
    SELECT id, 1, false, created_at, 'http_error' FROM deliveries WHERE endpoint_id = ${endpointId}`)
  await world.db.execute(sql`UPDATE deliveries SET attempts = 1 WHERE endpoint_id = ${endpointId}`)
  return { id: tracked.id, jobId: tracked.jobId, connection, endpointId }
}

/** How many rows there are of these imports, and of ones that aren't there. */
async function rows(...importIds: string[]): Promise<Record<string, number>> {
  const ids = sql.param(importIds)
  const { rows: counts } = await world.db.execute<{ what: string; n: number }>(sql`
    SELECT 'imports' AS what, count(*)::int AS n FROM imports WHERE id = ANY (${ids}::uuid[])
    UNION ALL SELECT 'polling', count(*) FROM polling WHERE import_id = ANY (${ids}::uuid[])
    UNION ALL SELECT 'detail_pages', count(*) FROM detail_pages WHERE import_id = ANY (${ids}::uuid[])
    UNION ALL SELECT 'snapshots', count(*) FROM snapshots WHERE import_id = ANY (${ids}::uuid[])
    UNION ALL SELECT 'skipped_lines', count(*) FROM skipped_lines WHERE import_id = ANY (${ids}::uuid[])
    UNION ALL SELECT 'row_results', count(*) FROM row_results WHERE import_id = ANY (${ids}::uuid[])
    UNION ALL SELECT 'events', count(*) FROM events WHERE import_id = ANY (${ids}::uuid[])
    UNION ALL SELECT 'dangling', (SELECT count(*) FROM snapshots s WHERE NOT EXISTS (SELECT FROM imports i WHERE i.id = s.import_id))
      + (SELECT count(*) FROM skipped_lines s WHERE NOT EXISTS (SELECT FROM imports i WHERE i.id = s.import_id))
      + (SELECT count(*) FROM row_results s WHERE NOT EXISTS (SELECT FROM imports i WHERE i.id = s.import_id))
      + (SELECT count(*) FROM events e WHERE import_id IS NOT NULL AND NOT EXISTS (SELECT FROM imports i WHERE i.id = e.import_id))
      + (SELECT count(*) FROM deliveries d WHERE NOT EXISTS (SELECT FROM events e WHERE e.id = d.event_id))
      + (SELECT count(*) FROM delivery_attempts a WHERE NOT EXISTS (SELECT FROM deliveries d WHERE d.id = a.delivery_id))`)
  return Object.fromEntries(counts.map(({ what, n }) => [what, Number(n)]))
}

const nothing = {
  imports: 0,
  polling: 0,
  detail_pages: 0,
  snapshots: 0,
  skipped_lines: 0,
  row_results: 0,
  events: 0,
  dangling: 0,
}
const all = {
  imports: 1,
  polling: 0,
  detail_pages: 1,
  snapshots: 2,
  skipped_lines: 1,
  row_results: 1,
  events: 2,
  dangling: 0,
}

describe('deleting an import', () => {
  test('removes everything under it, and nothing of others', async () => {
    const one = await anImportWithAll()
    const other = await anImportWithAll({ connectionId: one.connection.id })
    expect(await rows(one.id)).toEqual(all)
    expect(await world.deliveriesOf(one.endpointId)).toHaveLength(2)
    await remove(one.id)
    expect(await rows(one.id)).toEqual(nothing)
    expect(await rows(other.id)).toEqual(all)
    expect(await world.deliveriesOf(one.endpointId)).toHaveLength(1)
  })

  test('is refused where there is none', async () => {
    const { id } = await anImportWithAll()
    await remove(id)
    for (const missing of [id, 'nonsense']) await expect(remove(missing)).rejects.toMatchObject({ code: 'not_found' })
  })

  test('has its days computed again', async () => {
    const { id, connection } = await anImportWithAll()
    await world.db.execute(sql`DELETE FROM daily_outcomes_due`)
    await remove(id)
    const { rows: due } = await world.db.execute(sql`SELECT day::text, connection_id FROM daily_outcomes_due`)
    expect(due).toEqual([{ day: world.clock.now().toISOString().slice(0, 10), connection_id: connection.id }])
  })

  test('frees its job to be registered anew', async () => {
    const { id, jobId, connection } = await anImportWithAll()
    const again = () => registerImport(world, { connection: connection.name, jobId })
    expect(await again()).toEqual({ importId: id, created: false })
    await remove(id)
    const { importId, created } = await again()
    expect(created).toBe(true)
    expect(importId).not.toBe(id)
  })
})

describe('what comes late brings nothing back', () => {
  test('a report, the same report, a loss', async () => {
    const row = await world.import()
    await recordReport(world.db, await world.changed(row, {}))
    const seen = await world.importRow(row.id)
    const [changed, unchanged, lost] = [
      await world.changed(seen, { state: 'succeeded' }),
      world.unchanged(seen),
      await world.lost(seen),
    ]
    await remove(row.id)
    expect(await recordReport(world.db, changed)).toBe('stale')
    expect(await recordLost(world.db, lost)).toBe('stale')
    await recordUnchanged(world.db, [unchanged])
    expect(await rows(row.id)).toEqual(nothing)
  })

  test.each([
    ['a page', 'more'],
    ['the last page', null],
  ])('%s of its rows', async (_what, next) => {
    const { id } = await anImportWithAll()
    const checkpoint = await world.checkpoint(id)
    if (!checkpoint) throw new Error('nothing is to be collected')
    await remove(id)
    const page = aPage({ skippedLines: [{ line: 3, column: 4 }], rowResults: [aRowResult('s')], next })
    expect(await storeCollectedPage(world.db, checkpoint, page, world.clock.now())).toEqual({
      kind: 'superseded',
    })
    expect(await rows(id)).toEqual(nothing)
  })

  test('whatever happens to it at once', async () => {
    const refused = { code: expect.stringMatching(/^(not_found|conflict)$/) }
    const allowed = (work: Promise<unknown>) => work.catch((error: unknown) => expect(error).toMatchObject(refused))
    for (let round = 0; round < 25; round += 1) {
      const { id: connectionId } = await world.connection()
      const one = await anImportWithAll({ connectionId })
      const live = await world.import({ connectionId })
      const changed = await world.changed(live, { state: 'running' })
      await recordReport(world.db, changed)
      const seen = await world.importRow(live.id)
      const answers = [
        await world.changed(seen, { state: 'succeeded' }),
        await world.changed(seen, { progress: 0.5 }),
      ] as const
      const checkpoint = await world.checkpoint(one.id)
      if (!checkpoint) throw new Error('nothing is to be collected')
      const [delivery] = await world.deliveriesOf(one.endpointId)
      await world.db.execute(sql`UPDATE deliveries SET state = 'exhausted' WHERE endpoint_id = ${one.endpointId}`)
      const page = aPage({ skippedLines: [{ line: 3, column: 4 }], rowResults: [aRowResult('s')], next: null })
      const { id: endpoint } = await world.endpoint({ connections: [one.connection.name], types })
      const within = { dryRun: false }

      await Promise.all([
        ...answers.map((answer) => recordReport(world.db, answer)),
        recordUnchanged(world.db, [world.unchanged(seen)]),
        allowed(stopImport(world, live.id).then(() => resumeImport(world, live.id))),
        storeCollectedPage(world.db, checkpoint, page, world.clock.now()),
        allowed(redeliver(world, delivery?.id ?? '')),
        recoverEndpoint(world, one.endpointId, within),
        replayEndpoint(world, endpoint, within),
        listEvents(world, { limit: 100 }),
        remove(one.id),
        remove(live.id),
        listEvents(world, { limit: 100 }),
      ])
      expect(await rows(one.id, live.id)).toEqual(nothing)
    }
  })
})

test('others go on while an import is being deleted, however long that takes', async () => {
  const one = await anImportWithAll()
  const other = await world.import({ connectionId: one.connection.id })
  await recordReport(world.db, await world.changed(other, {}))
  const encryption = createEncryption([randomBytes(32)])
  const accesses = createConnectionAccesses({ db: world.db, encryption, log: createLog('silent') })
  const holder = await world.database.pool.connect()
  await holder.query('BEGIN')
  await holder.query('SELECT FROM row_results WHERE import_id = $1 FOR UPDATE', [one.id]) // in the midst of it
  const removed = remove(one.id)
  await vi.waitUntil(async () => {
    const { rowCount } = await world.database.pool.query(
      `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    )
    return rowCount === 1
  })

  const [seen, deleted] = [await world.importRow(other.id), await world.importRow(one.id)]
  await recordUnchanged(world.db, [world.unchanged(seen), world.unchanged(deleted)])
  await recordReport(world.db, await world.changed(await world.importRow(other.id), { state: 'succeeded' }))
  await world.db.transaction(async (tx) => {
    const wanted = {
      owners: [{ id: one.connection.id, underWay: new Map(), isQuick: false }],
      most: 10,
      now: world.clock.now(),
    }
    await beginCollections({ accesses }, tx, wanted)
    await beginPolls({ accesses, baselines: createBaselines() }, tx, wanted)
  })
  await world.db.transaction(async (tx) => {
    const owners = [{ id: one.endpointId, underWay: new Map(), isQuick: false }]
    await beginAttempts({ encryption }, tx, { owners, room: 10, crowd: 'roomy', now: world.clock.now() })
  })
  await listEvents(world, { limit: 10 })
  await replayEndpoint(world, one.endpointId, { dryRun: false })
  await registerImport(world, { connection: one.connection.name, jobId: 'beside it' })

  await holder.query('COMMIT')
  holder.release()
  await removed
  expect(await rows(one.id)).toEqual(nothing)
})
