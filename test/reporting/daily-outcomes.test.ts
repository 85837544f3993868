import { readFile } from 'node:fs/promises'
import { sql } from 'drizzle-orm'
import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { after } from '../../src/base/clock.ts'
import { newId } from '../../src/base/ids.ts'
import { type Checkpoint, storeCollectedPage } from '../../src/collecting/checkpoint.ts'
import { giveUp } from '../../src/collecting/give-up.ts'
import { deleteImport } from '../../src/imports/delete.ts'
import { type Registered, registerImport, registerImports } from '../../src/imports/register.ts'
import { resumeImport } from '../../src/imports/resume.ts'
import { stopImport } from '../../src/imports/stop.ts'
import type { Report } from '../../src/providers/contract.ts'
import { unknownRows } from '../../src/providers/contract.ts'
import { markDays, rollUp } from '../../src/reporting/daily-outcomes.ts'
import { recordLost, recordReport, recordUnchanged } from '../imports/recording.ts'
import { aPage } from '../support/worlds/polls.ts'
import { useWorld } from '../support/worlds/world.ts'

const world = useWorld()
const signal = new AbortController().signal
const tick = () => rollUp(world, signal)
const hourMs = 3_600_000

type Row = Record<string, unknown>

async function daily(connectionId: string): Promise<Row[]> {
  const { rows } = await world.db.execute<Row>(sql`
    SELECT day::text, registered, finished, succeeded, partial, failed, canceled, lost, stopped, success_rate, rows_total::int,
      rows_failed::int, total_p50_s, total_p90_s, polls::int
    FROM reporting.daily_outcomes WHERE connection_id = ${connectionId} ORDER BY day`)
  return rows
}

async function registered(connectionId: string, time: string): Promise<string> {
  world.clock.set(new Date(time))
  return (await register(connectionId)).importId
}

async function register(connectionId: string): Promise<Registered> {
  const { name: connection } = await world.connectionRow(connectionId)
  return registerImport(world, { connection, jobId: newId() })
}

async function ended(id: string, time: string, report: Partial<Report> = {}): Promise<void> {
  const change = await world.changed(await world.importRow(id), { state: 'succeeded', ...report })
  world.clock.set(new Date(time))
  expect(await recordReport(world.db, { ...change, polledAt: new Date(time) })).toBe('stored')
}

/** As if nothing had been computed so far, with all days of all imports marked, as an upgrade does. */
async function beginAnew(): Promise<void> {
  await world.db.execute(sql`TRUNCATE daily_outcomes, daily_skipped_columns, daily_outcomes_due`)
  const upgrade = await readFile('migrations/0007_days_marked_by_their_changes.sql', 'utf8')
  await world.db.execute(sql.raw(upgrade.split('--> statement-breakpoint')[0] ?? ''))
}

beforeEach(() => {
  world.clock.set(new Date('2026-03-01T12:00:00Z'))
})

describe('a day', () => {
  test('has what was registered on it and what ended on it, by outcome', async () => {
    const { id } = await world.connection()
    const jobs = await Promise.all(Array.from({ length: 6 }, () => registered(id, '2026-03-03T10:00:00Z')))
    const [a = '', b = '', c = '', d = '', e = '', f = ''] = jobs
    const ran = (seconds: number) => ({
      startedAt: new Date('2026-03-03T10:00:00Z'),
      finishedAt: after(new Date('2026-03-03T10:00:00Z'), seconds * 1_000),
      rows: { ...unknownRows, total: 10, failed: seconds },
    })
    await ended(a, '2026-03-03T11:00:00Z', ran(10))
    await ended(b, '2026-03-03T11:00:00Z', ran(20))
    await ended(c, '2026-03-03T11:00:00Z', { ...ran(30), state: 'partial' })
    await ended(d, '2026-03-04T11:00:00Z', { ...ran(99), state: 'failed' })
    world.clock.set(new Date('2026-03-04T12:00:00Z'))
    await stopImport(world, e)
    await recordLost(world.db, await world.lost(await world.importRow(f)))
    await tick()
    const rest = { canceled: 0, registered: 0, partial: 0, succeeded: 0, failed: 0, lost: 0, stopped: 0 }
    expect(await daily(id)).toMatchObject([
      {
        ...rest,
        day: '2026-03-03',
        registered: 6,
        finished: 3,
        succeeded: 2,
        partial: 1,
        success_rate: 2 / 3,
        rows_total: 30,
        rows_failed: 60,
        total_p50_s: 20,
        total_p90_s: 28,
        polls: 3,
      },
      {
        ...rest,
        day: '2026-03-04',
        finished: 1,
        failed: 1,
        lost: 1,
        stopped: 1,
        success_rate: 0,
        total_p50_s: 99,
        polls: 2,
      },
    ])
  })

  test('is one of UTC, whatever the session thinks, also where clocks are changed', async () => {
    const { id } = await world.connection()
    // In New York clocks go forward on 2026-03-08 and back on 2026-11-01.
    for (const [begins, ends] of [
      ['2026-03-08T00:00:00.000Z', '2026-03-08T23:59:59.999Z'],
      ['2026-03-09T00:00:00.000Z', '2026-03-09T03:30:00.000Z'],
      ['2026-11-01T00:00:00.000Z', '2026-11-01T23:59:59.999Z'],
    ] as const)
      await ended(await registered(id, begins), ends)
    const database = world.database.url.split('/').at(-1) ?? ''
    await world.database.pool.query(`ALTER DATABASE ${database} SET timezone = 'America/New_York'`)
    const { openDatabase } = await import('../../src/db/client.ts')
    const there = openDatabase(world.database.url, { maxConnections: 2, onError: () => {} })
    try {
      const { rows } = await there.pool.query(`SELECT current_setting('timezone') AS zone`)
      expect(rows).toEqual([{ zone: 'America/New_York' }])
      await rollUp(there, signal)
      await there.db.transaction((tx) => markDays(tx, [id], [new Date('2026-11-01T23:59:59.999Z')]))
      await rollUp(there, signal)
      const shown = await there.pool.query(
        'SELECT day::text, registered, succeeded FROM reporting.daily_outcomes WHERE connection_id = $1 ORDER BY 1',
        [id],
      )
      expect(shown.rows).toEqual([
        { day: '2026-03-08', registered: 1, succeeded: 1 },
        { day: '2026-03-09', registered: 1, succeeded: 1 },
        { day: '2026-11-01', registered: 1, succeeded: 1 },
      ])
    } finally {
      await there.close()
      await world.database.pool.query(`ALTER DATABASE ${database} RESET timezone`)
    }
  })

  test('loses an import that is resumed, and the day on which it ends then gets it', async () => {
    const { id } = await world.connection()
    const importId = await registered(id, '2026-03-10T10:00:00Z')
    world.clock.set(new Date('2026-03-11T10:00:00Z'))
    await stopImport(world, importId)
    await tick()
    expect(await daily(id)).toMatchObject([
      { day: '2026-03-10', registered: 1 },
      { day: '2026-03-11', stopped: 1 },
    ])
    world.clock.set(new Date('2026-03-12T10:00:00Z'))
    await resumeImport(world, importId)
    await tick()
    expect(await daily(id)).toMatchObject([{ day: '2026-03-10', registered: 1, stopped: 0 }])
    await ended(importId, '2026-03-13T10:00:00Z')
    await tick()
    expect(await daily(id)).toMatchObject([
      { day: '2026-03-10', registered: 1, finished: 0 },
      { day: '2026-03-13', registered: 0, succeeded: 1, stopped: 0 },
    ])
  })

  test('loses an import that is deleted, and is gone with its last', async () => {
    const { id } = await world.connection()
    const kept = await registered(id, '2026-03-10T10:00:00Z')
    const deleted = await registered(id, '2026-03-10T10:00:00Z')
    await ended(kept, '2026-03-10T11:00:00Z')
    await ended(deleted, '2026-03-11T11:00:00Z')
    await tick()
    expect(await daily(id)).toMatchObject([{ registered: 2, succeeded: 1 }, { succeeded: 1 }])
    await deleteImport(world, deleted)
    await tick()
    expect(await daily(id)).toMatchObject([{ registered: 1, succeeded: 1 }])
    expect(await daily(id)).toHaveLength(1)
  })
})

describe('skipped columns', () => {
  const columns = async (connectionId: string) => {
    const { rows } = await world.db.execute<Row>(sql`
      SELECT month::text, column_number::int AS "column", lines::int, imports::int FROM reporting.skipped_columns
      WHERE connection_id = ${connectionId} ORDER BY 1, 2`)
    return rows
  }
  const skippedLinesOf = (...lines: (number | null)[]) =>
    aPage({ skippedLines: lines.map((column, line) => ({ line, column })) })

  test('are counted by the month, once an import is collected', async () => {
    const { id } = await world.connection()
    for (const [time, lines] of [
      ['2026-03-31T10:00:00Z', [1, 1, 2, null]],
      ['2026-03-30T10:00:00Z', [1]],
      ['2026-04-01T10:00:00Z', [2, 2]],
    ] as const) {
      const importId = await registered(id, time)
      const change = await world.changed(await world.importRow(importId), { state: 'partial' })
      const answer = { ...change.answer, details: skippedLinesOf(...lines) }
      await recordReport(world.db, { ...change, answer })
    }
    await tick()
    expect(await columns(id)).toEqual([
      { month: '2026-03-01', column: 1, lines: 3, imports: 2 },
      { month: '2026-03-01', column: 2, lines: 1, imports: 1 },
      { month: '2026-03-01', column: null, lines: 1, imports: 1 },
      { month: '2026-04-01', column: 2, lines: 2, imports: 1 },
    ])
    await tick()
    expect(await columns(id)).toHaveLength(4)
  })

  test('have those of an import whose collection is given up', async () => {
    const { id } = await world.connection()
    const importId = await registered(id, '2026-05-05T10:00:00Z')
    const change = await world.changed(await world.importRow(importId), { state: 'partial' })
    const page = { ...skippedLinesOf(5, 5), next: 'more' }
    await recordReport(world.db, { ...change, answer: { ...change.answer, details: page } })
    await tick()
    expect(await columns(id)).toEqual([])
    await giveUpNow(importId)
    await tick()
    expect(await columns(id)).toEqual([{ month: '2026-05-01', column: 5, lines: 2, imports: 1 }])
  })
})

test('what was there before is filled in, newest first, over several transactions', async () => {
  const { id } = await world.connection()
  const days = Array.from({ length: 50 }, (_, index) => after(new Date('2025-01-01T10:00:00Z'), index * 24 * hourMs))
  const state = { connectionId: id, state: 'succeeded' }
  for (const day of days) await world.import({ ...state, registeredAt: day, finishedAt: after(day, hourMs) })
  await beginAnew()

  const stopping = new AbortController()
  const watched = Object.assign(Object.create(world.db) as typeof world.db, {
    transaction(...given: Parameters<typeof world.db.transaction>) {
      stopping.abort() // after this one
      return world.db.transaction(...given)
    },
  })
  await rollUp({ db: watched }, stopping.signal)
  const begun = await daily(id)
  expect(begun.length).toBeLessThan(50)
  await tick()
  const all = await daily(id)
  expect(all).toHaveLength(50)
  expect(all.every(({ registered, succeeded }) => registered === 1 && succeeded === 1)).toBe(true)
})

test('a day that is marked over and over again holds up no older one, and ends', async () => {
  const { id } = await world.connection()
  for (let day = 1; day <= 25; day++) await registered(id, `2026-05-${String(day).padStart(2, '0')}T10:00:00Z`)
  const marking = Object.assign(Object.create(world.db) as typeof world.db, {
    async transaction(...given: Parameters<typeof world.db.transaction>) {
      const days = Array.from({ length: 20 }, (_, index) =>
        after(new Date('2026-05-31T10:00:00Z'), index * 24 * hourMs),
      )
      await world.db.transaction((tx) => markDays(tx, [id], days))
      return world.db.transaction(...given)
    },
  })
  await rollUp({ db: marking }, signal)
  expect(await daily(id)).toHaveLength(25)
})

test('many processes at once count everything once', async () => {
  const { id } = await world.connection()
  for (let round = 0; round < 5; round++) {
    const importId = await registered(id, '2026-06-01T10:00:00Z')
    await Promise.all([tick(), ended(importId, '2026-06-01T11:00:00Z'), tick(), tick()])
  }
  await tick()
  expect(await daily(id)).toMatchObject([{ registered: 5, succeeded: 5 }])
})

describe('nothing is missed', () => {
  test('after a standstill of over thirty days', async () => {
    const { id } = await world.connection()
    const importId = await registered(id, '2026-06-02T10:00:00Z')
    await tick()
    await ended(importId, '2026-06-02T11:00:00Z')
    world.clock.set(new Date('2026-07-20T10:00:00Z'))
    await tick()
    expect(await daily(id)).toMatchObject([{ day: '2026-06-02', registered: 1, succeeded: 1 }])
  })

  test('by a clock that is ahead, nor by one that is late', async () => {
    const { id } = await world.connection()
    for (const time of ['2027-06-02T10:00:00Z', '2026-06-02T10:00:00Z', '2025-06-02T10:00:00Z']) {
      const importId = await registered(id, time)
      await tick()
      await ended(importId, time)
      await tick()
    }
    expect(await daily(id)).toMatchObject([
      { day: '2025-06-02', registered: 1, succeeded: 1 },
      { day: '2026-06-02', registered: 1, succeeded: 1 },
      { day: '2027-06-02', registered: 1, succeeded: 1 },
    ])
  })

  test('of a transaction that is committed after its day was computed', async () => {
    const { id, name } = await world.connection()
    await registered(id, '2026-06-03T10:00:00Z')
    await world.db.transaction(async (tx) => {
      const db = Object.assign(tx, { $client: world.db.$client })
      await registerImport({ db, clock: world.clock }, { connection: name, jobId: 'late' })
      await tick()
      expect(await daily(id)).toMatchObject([{ registered: 1 }])
    })
    await tick()
    expect(await daily(id)).toMatchObject([{ registered: 2 }])
  })

  test('of a batch, whose imports are of several connections', async () => {
    const [one, other] = [await world.connection(), await world.connection()]
    world.clock.set(new Date('2026-06-04T10:00:00Z'))
    const jobs = [one, other, one].map(({ name }, index) => ({ connection: name, jobId: `job-${index}` }))
    await registerImports(world, jobs)
    await tick()
    expect([...(await daily(one.id)), ...(await daily(other.id))]).toMatchObject([{ registered: 2 }, { registered: 1 }])
  })

  test('of an answer that came inline', async () => {
    const { id, name } = await world.connection({ provider: 'micro' })
    world.clock.set(new Date('2026-06-05T10:00:00Z'))
    await registerImport(world, { connection: name, result: { status: 'complete', total: 1, succeeded: 1, failed: 0 } })
    await tick()
    expect(await daily(id)).toMatchObject([{ registered: 1, finished: 1 }])
  })
})

test('an unchanged poll marks no day', async () => {
  const { id } = await world.connection()
  const importId = await registered(id, '2026-06-06T10:00:00Z')
  await recordReport(world.db, await world.changed(await world.importRow(importId), {}))
  await tick()
  await recordUnchanged(world.db, [world.unchanged(await world.importRow(importId))])
  const { rowCount } = await world.db.execute(sql`SELECT FROM daily_outcomes_due`)
  expect(rowCount).toBe(0)
})

async function giveUpNow(importId: string): Promise<void> {
  const now = world.clock.now()
  const error = { code: 'any', message: 'No.', at: now.toISOString() }
  await world.db.transaction((tx) => giveUp(tx, importId, { error, failed: null, now }))
}

/** Where the import's collection stands, under a lease. */
async function underLease(importId: string): Promise<Checkpoint> {
  const checkpoint = await world.checkpoint(importId)
  if (!checkpoint) throw new Error('nothing is to be collected')
  return checkpoint
}

describe('whatever happens', () => {
  const step = fc.record({
    action: fc.constantFrom(
      'register',
      'end',
      'begin',
      'collect',
      'give up',
      'stop',
      'lose',
      'resume',
      'delete',
      'tick',
    ),
    which: fc.nat(5),
    hours: fc.nat(30),
    outcome: fc.constantFrom('succeeded', 'partial', 'failed', 'canceled'),
    columns: fc.array(fc.nat(2), { maxLength: 3 }),
  } as const)

  test('the days are what they are when computed from scratch', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
        world.clock.set(new Date('2026-07-01T00:00:00Z'))
        const connectionIds = [(await world.connection()).id, (await world.connection()).id]
        const ids: string[] = []
        for (const { action, which, hours, outcome, columns } of steps) {
          world.clock.advance(hours * hourMs)
          const id = ids[which % Math.max(ids.length, 1)]
          if (action === 'tick') await tick()
          else if (action === 'register' || id === undefined)
            ids.push((await register(connectionIds[which % 2] ?? '')).importId)
          else await apply(action, id, outcome, columns)
          if (action === 'delete' && id !== undefined) ids.splice(ids.indexOf(id), 1)
        }
        await tick()
        const kept = await everything(connectionIds)
        await beginAnew()
        await tick()
        expect(kept).toEqual(await everything(connectionIds))
      }),
      { numRuns: 25 },
    )
  })

  async function apply(
    action: 'end' | 'begin' | 'collect' | 'give up' | 'stop' | 'lose' | 'resume' | 'delete',
    id: string,
    outcome: Report['state'],
    columns: number[],
  ): Promise<void> {
    const row = await world.importRow(id)
    const live = row.nextPollAt !== null
    if (action === 'stop' && live) await stopImport(world, id)
    if (action === 'lose' && live) await recordLost(world.db, await world.lost(row))
    if (action === 'resume') await resumeImport(world, id, { force: true })
    const page = aPage({ skippedLines: columns.map((column, line) => ({ line, column })) })
    if ((action === 'end' || action === 'begin') && live) {
      const change = await world.changed(row, { state: outcome })
      const details = action === 'end' ? page : { ...page, next: 'more' } // to be collected
      await recordReport(world.db, { ...change, answer: { ...change.answer, details } })
    }
    if (action === 'collect' && row.nextCollectAt !== null)
      await storeCollectedPage(world.db, await underLease(id), page, world.clock.now())
    if (action === 'give up' && row.nextCollectAt !== null) await giveUpNow(id)
    if (action === 'delete') await deleteImport(world, id)
  }

  async function everything(connectionIds: string[]): Promise<Row[]> {
    const those = sql`connection_id = ANY (${sql.param(connectionIds)}::uuid[])`
    const outcomes = await world.db.execute<Row>(
      sql`SELECT * FROM daily_outcomes WHERE ${those} ORDER BY day, connection_id`,
    )
    const columns = await world.db.execute<Row>(
      sql`SELECT * FROM daily_skipped_columns WHERE ${those} ORDER BY day, connection_id, "column"`,
    )
    return [...outcomes.rows, ...columns.rows]
  }
})
