import { eq, type SQL, sql } from 'drizzle-orm'
import { describe, expect, test } from 'vitest'
import { after } from '../../src/base/clock.ts'
import { newId } from '../../src/base/ids.ts'
import { deliveries, imports, skippedLines, webhookEndpoints } from '../../src/db/schema/index.ts'
import { writeEvents } from '../../src/events/write.ts'
import { resumeImport } from '../../src/imports/resume.ts'
import { stopImport } from '../../src/imports/stop.ts'
import { eventTypes } from '../../src/model/event-types.ts'
import type { Report } from '../../src/providers/contract.ts'
import { unknownRows } from '../../src/providers/contract.ts'
import { recordLost, recordReport, recordUnchanged } from '../imports/recording.ts'
import { useWorld } from '../support/worlds/world.ts'

const world = useWorld()
const start = new Date('2026-03-01T12:00:00.000Z')
const at = (seconds: number) => after(start, seconds * 1_000)

async function ask(query: SQL): Promise<Record<string, unknown>[]> {
  return (await world.db.execute(query)).rows
}
const viewNames = [
  'actions',
  'connections',
  'daily_outcomes',
  'duration_baseline',
  'endpoint_health',
  'failed_calls',
  'imports',
  'open_imports',
  'progress',
  'row_results',
  'skipped_columns',
  'skipped_lines',
  'status_periods',
  'webhook_deliveries',
]

async function secondsSince(date: Date): Promise<number> {
  const [row] = await ask(sql`SELECT extract(epoch FROM now() - ${date}::timestamptz)::float8 AS s`)
  return Number(row?.s)
}

/** An import registered at second 0, by the recorder alone. */
async function history(columns: Partial<typeof imports.$inferInsert> = {}) {
  const { id, connectionId } = await world.import({ registeredAt: start, ...columns })
  const record = {
    id,
    connectionId,
    /** A poll at that second which is answered with a report that differs. */
    async changed(second: number, report: Partial<Report>) {
      const change = await world.changed(await world.importRow(id), report, { polledAt: at(second) })
      expect(await recordReport(world.db, change)).toBe('stored')
    },
    async same(...seconds: number[]) {
      for (const second of seconds)
        await recordUnchanged(world.db, [world.unchanged(await world.importRow(id), { polledAt: at(second) })])
    },
    async refused(second: number) {
      const lastError = { code: 'timeout', message: 'Too slow.', at: at(second).toISOString(), body: 'secret' }
      const poll = { polledAt: at(second), sameReport: false, failures: 1, note: { lastError } }
      await recordUnchanged(world.db, [world.unchanged(await world.importRow(id), poll)])
    },
    async lost(second: number) {
      await recordLost(world.db, await world.lost(await world.importRow(id), { polledAt: at(second) }))
    },
    async resumed(second: number) {
      world.clock.set(at(second))
      await resumeImport(world, id)
    },
    async stopped(second: number) {
      world.clock.set(at(second))
      await stopImport(world, id)
    },
    async show(view: string, order = '1') {
      const rows = await ask(
        sql`SELECT * FROM ${sql.identifier('reporting')}.${sql.identifier(view)} WHERE import_id = ${id} ORDER BY ${sql.raw(order)}`,
      )
      return rows as Record<string, unknown>[]
    },
    async one(view = 'imports') {
      const [row] = await record.show(view)
      return row ?? {}
    },
  }
  return record
}

const running = { state: 'running', providerStatus: 'RUNNING' } as const
const queued = { state: 'queued', providerStatus: 'WAITING' } as const
const finished = { state: 'succeeded', providerStatus: 'FINISHED' } as const

describe('the schema', () => {
  test('has these views and nothing else', async () => {
    const rows = await ask(
      sql`SELECT relname, relkind FROM pg_class WHERE relnamespace = 'reporting'::regnamespace ORDER BY 1`,
    )
    expect(rows).toEqual(viewNames.map((relname) => ({ relname, relkind: 'v' })))
    expect(await ask(sql`SELECT 1 FROM pg_proc WHERE pronamespace = 'reporting'::regnamespace`)).toEqual([])
  })

  test('says of every view and every column what it is', async () => {
    const rows = await ask(sql`
      SELECT c.relname, a.attname FROM pg_class c
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
      WHERE c.relnamespace = 'reporting'::regnamespace
        AND (obj_description(c.oid, 'pg_class') IS NULL OR col_description(c.oid, a.attnum) IS NULL)`)
    expect(rows).toEqual([])
  })

  test('has the unit in the name of every number of seconds', async () => {
    const rows = await ask(sql`
      SELECT attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
      WHERE c.relnamespace = 'reporting'::regnamespace AND atttypid = 'float8'::regtype
        AND attname !~ '_s($|_last_)'`)
    expect([...new Set(rows.map(({ attname }) => attname))].toSorted()).toEqual([
      'age_ratio',
      'log_mad',
      'log_median',
      'progress',
      'success_rate',
    ])
  })
})

describe('imports', () => {
  test('takes durations from what was seen, where the provider gives no times', async () => {
    const seen = await history({ metadata: { team: 'data' } })
    await seen.changed(2, queued)
    await seen.changed(6, running)
    await seen.same(10, 20)
    await seen.refused(25)
    await seen.changed(30, { ...finished, rows: { ...unknownRows, total: 60, processed: 50 } })
    expect(await seen.one()).toMatchObject({
      state: 'succeeded',
      outcome: 'succeeded',
      provider: 'cdq',
      queued_s: 6,
      running_s: 19, // it ended between 20 and 30
      total_s: 25,
      rows_per_s: 2,
      detection_gap_s: 10,
      polls: 6,
      last_error_code: null,
      metadata: { team: 'data' },
    })
  })

  test('prefers the provider’s times', async () => {
    const told = await history()
    await told.changed(2, { ...running, createdAt: at(-100), startedAt: at(-60) })
    await told.changed(30, { ...finished, finishedAt: at(20), rows: { ...unknownRows, total: 240 } })
    expect(await told.one()).toMatchObject({
      queued_s: 40,
      running_s: 80,
      total_s: 120,
      rows_per_s: 2,
      detection_gap_s: 28,
    })
  })

  test('knows how long it was queued only since it was made or registered', async () => {
    const before = await history()
    await before.changed(2, { ...running, startedAt: at(-60) })
    await before.changed(30, { ...finished, startedAt: at(-60), finishedAt: at(20) })
    expect(await before.one()).toMatchObject({ queued_s: null, running_s: 80, total_s: 80 })

    const since = await history()
    await since.changed(20, { ...running, startedAt: at(15) })
    await since.changed(30, { ...finished, startedAt: at(15), finishedAt: at(25) })
    expect(await since.one()).toMatchObject({ queued_s: 15, running_s: 10, total_s: 10 })
  })

  test.each([3_600_000, -3_600_000])(
    'counts on our clock, by which the provider’s is %i ms ahead',
    async (clockAheadMs) => {
      const theirs = (second: number) => after(at(second), clockAheadMs)
      const skewed = await history()
      const times = { createdAt: theirs(1), startedAt: theirs(4) }
      await heard(skewed, 5, { ...running, ...times })
      expect(await skewed.one('open_imports')).toMatchObject({ age_s: expect.closeTo(await secondsSince(at(4)), -1) })
      await heard(skewed, 30, { ...finished, ...times, finishedAt: theirs(24) })
      expect(await skewed.one()).toMatchObject({
        provider_started_at: theirs(4)
          .toISOString()
          .replace('T', ' ')
          .replace(/\.000Z$/, '+00'),
        queued_s: 3,
        running_s: 20,
        total_s: 23,
      })
      expect(
        await ask(sql`SELECT median_s FROM reporting.duration_baseline WHERE connection_id = ${skewed.connectionId}`),
      ).toEqual([{ median_s: expect.closeTo(20) }])

      async function heard({ id }: typeof skewed, second: number, report: Partial<Report>) {
        const change = await world.changed(await world.importRow(id), report, { polledAt: at(second), clockAheadMs })
        expect(await recordReport(world.db, change)).toBe('stored')
      }
    },
  )

  test.each(['0001-01-01T00:00:00Z', '1970-01-01T00:00:00Z', '9999-12-31T00:00:00Z'])(
    'takes the time %s, wherever it comes from, for none',
    async (time) => {
      const [date, wrong] = [
        new Date(time),
        { provider_created_at: null, provider_started_at: null, provider_finished_at: null },
      ]
      const open = await history()
      await open.changed(2, { ...running, createdAt: date, startedAt: date })
      expect(await open.one('open_imports')).toMatchObject({ age_s: expect.closeTo(await secondsSince(start), -1) })
      const ended = await history()
      await ended.changed(2, { ...running, createdAt: date, startedAt: date })
      await ended.changed(30, { ...finished, finishedAt: date })
      expect(await ended.one()).toMatchObject({ ...wrong, queued_s: 2, running_s: 14, total_s: 16 })
      const { rows } = await world.db.execute(
        sql`SELECT median_s FROM reporting.duration_baseline WHERE connection_id = ${ended.connectionId}`,
      )
      expect(rows).toEqual([{ median_s: expect.closeTo(16) }])
    },
  )

  test('knows no duration that would be negative, or whose end nobody saw', async () => {
    const reversed = await history()
    await reversed.changed(2, { ...running, createdAt: at(-10), startedAt: at(-30) })
    await reversed.changed(30, { ...finished, finishedAt: at(-40) })
    expect(await reversed.one()).toMatchObject({ queued_s: null, running_s: null, total_s: null, rows_per_s: null })

    const atOnce = await history()
    await atOnce.changed(2, finished)
    expect(await atOnce.one()).toMatchObject({
      queued_s: null,
      running_s: null,
      total_s: null,
      detection_gap_s: null,
      outcome: 'succeeded',
    })

    const lost = await history()
    await lost.changed(2, running)
    await lost.lost(30)
    expect(await lost.one()).toMatchObject({
      outcome: 'lost',
      lost_reason: 'deadline',
      queued_s: 2,
      running_s: null,
      total_s: null,
      detection_gap_s: null,
    })
    const live = await history()
    await live.changed(2, running)
    await live.refused(8)
    expect(await live.one()).toMatchObject({
      outcome: null,
      finished_at: null,
      total_s: null,
      last_error_code: 'timeout',
      last_error_message: 'Too slow.',
    })
    expect(JSON.stringify(await live.one())).not.toContain('secret')
  })

  test('sees the gap of a resumed import from before it was lost', async () => {
    const resumed = await history()
    await resumed.changed(2, running)
    await resumed.lost(30)
    await resumed.resumed(90)
    expect(await resumed.one()).toMatchObject({ outcome: null, finished_at: null })
    await resumed.changed(92, finished)
    expect(await resumed.one()).toMatchObject({ outcome: 'succeeded', detection_gap_s: 90, total_s: 47, polls: 3 })
  })

  test('tells overlapping imports of one connection apart', async () => {
    const first = await history()
    const second = await history({ connectionId: first.connectionId })
    await first.changed(1, running)
    await second.changed(2, running)
    await first.changed(11, finished)
    await second.changed(42, finished)
    expect([(await first.one()).detection_gap_s, (await second.one()).detection_gap_s]).toEqual([10, 40])
    expect((await first.show('status_periods')).length).toBe(2)
    expect((await second.show('progress')).length).toBe(2)
  })
})

describe('status_periods', () => {
  test('are as long as a status stays the same, whatever else changes', async () => {
    const import_ = await history()
    await import_.changed(1, queued)
    await import_.same(2, 3)
    await import_.changed(5, { ...running, progress: 0.1 })
    await import_.changed(8, { ...running, progress: 0.2 })
    await import_.refused(9)
    await import_.same(10)
    await import_.changed(11, { ...running, providerStatus: 'UNKNOWN' })
    await import_.changed(15, { ...running, progress: 0.3 })
    await import_.changed(21, finished)
    const periods = await import_.show('status_periods', 'period')
    expect(
      periods.map((row) =>
        [row.period, row.state, row.provider_status, row.duration_s, row.polls].map(String).join(' '),
      ),
    ).toEqual([
      '1 queued WAITING 4 3',
      '2 running RUNNING 6 3',
      '3 running UNKNOWN 4 1',
      '4 running RUNNING 6 1',
      '5 succeeded FINISHED 0 1',
    ])
  })

  test('go on through a time in which an import was lost, and end with what was seen last', async () => {
    const import_ = await history()
    await import_.changed(1, running)
    await import_.same(4)
    await import_.stopped(6)
    expect(await import_.show('status_periods')).toMatchObject([{ duration_s: 3, polls: '2' }])
    await import_.resumed(60)
    await import_.changed(61, running) // a snapshot of its own
    await import_.changed(71, finished)
    expect(await import_.show('status_periods', 'period')).toMatchObject([
      { state: 'running', duration_s: 70, polls: '3' },
      { state: 'succeeded', duration_s: 0, polls: '1' },
    ])
  })
})

test('progress has every report that differed, with its counts', async () => {
  const import_ = await history()
  await import_.changed(1, { ...running, progress: 0, rows: { ...unknownRows, total: 10, processed: 0 } })
  await import_.same(2, 3)
  await import_.changed(4, { ...running, progress: 0.5, rows: { ...unknownRows, total: 10, processed: 5 } })
  expect(await import_.show('progress', 'first_seen_at')).toMatchObject([
    { progress: 0, rows_total: '10', rows_processed: '0', rows_failed: null, polls: 3, state: 'running' },
    { progress: 0.5, rows_total: '10', rows_processed: '5', polls: 1, provider_status: 'RUNNING' },
  ])
})

test('skipped lines and row results have their import at hand', async () => {
  const import_ = await history()
  await world.db.insert(skippedLines).values({ importId: import_.id, page: 0, position: 1, line: 7, column: null })
  await world.rowResults(import_.id, [{ row: 3, errorCode: 'bad', item: { a: 1 } }])
  const { name } = await world.connectionRow(import_.connectionId)
  const whose = { import_id: import_.id, connection: name, provider: 'cdq', registered_at: expect.anything() }
  expect(await import_.show('skipped_lines')).toMatchObject([
    { ...whose, page: 0, position: 1, line_number: '7', column_number: null },
  ])
  expect(await import_.show('row_results')).toMatchObject([
    { ...whose, page: 0, row_index: '3', error_code: 'bad', item: { a: 1 } },
  ])
})

describe('what imports usually take', () => {
  test('is the median of the logarithms, with their deviation, of the newest that ended', async () => {
    const { id: connectionId, name } = await world.connection()
    for (const [index, seconds] of [1, 10, 100, 1_000, 10_000].entries()) {
      const import_ = await history({ connectionId })
      await import_.changed(1, { ...running, startedAt: at(0) })
      await import_.changed(20_000 + index, { ...finished, finishedAt: at(seconds) })
    }
    const canceled = await history({ connectionId })
    await canceled.changed(1, running)
    await canceled.changed(5, { ...finished, state: 'canceled' })
    const lost = await history({ connectionId })
    await lost.lost(5)
    const none = await world.connection()

    const [row] = await ask(sql`SELECT * FROM reporting.duration_baseline WHERE connection = ${name}`)
    const ln10 = Math.log(10)
    expect(row).toMatchObject({ n: '5', connection_id: connectionId })
    expect(row?.median_s).toBeCloseTo(100)
    expect(row?.log_median).toBeCloseTo(2 * ln10)
    expect(row?.log_mad).toBeCloseTo(ln10) // deviations in tens: 2 1 0 1 2
    expect(row?.p90_s).toBeCloseTo(6_400)
    expect(await ask(sql`SELECT 1 FROM reporting.duration_baseline WHERE connection_id = ${none.id}`)).toEqual([])
  })

  test('is of the last 200, counted from the start', async () => {
    const { id: connectionId } = await world.connection()
    const columns = { connectionId, state: 'succeeded', jobId: '', registeredAt: start, metadata: {} }
    await world.db.insert(imports).values(
      Array.from({ length: 300 }, (_, index) => ({
        ...columns,
        jobId: `${index}`,
        deadlineMs: 1,
        deadlineAt: start,
        providerCreatedAt: at(-1_000),
        providerStartedAt: at(0),
        providerFinishedAt: at(index < 100 ? 5 : 50),
        finishedAt: at(1_000 + index),
      })),
    )
    const [row] = await ask(sql`SELECT * FROM reporting.duration_baseline WHERE connection_id = ${connectionId}`)
    expect(row).toMatchObject({ n: '200', log_mad: 0 })
    expect(row?.median_s).toBeCloseTo(50)

    const slow = await world.import({ connectionId, registeredAt: start, attention: 'stalled' })
    const [open] = await world.db.transaction(async (tx) => {
      await tx.execute(sql`SELECT set_config('reporting.now', ${at(200).toISOString()}, true)`)
      return (await tx.execute(sql`SELECT * FROM reporting.open_imports WHERE import_id = ${slow.id}`)).rows
    })
    expect(open).toMatchObject({ age_s: 200, is_stalled: true, is_overdue: true })
    expect(open?.age_ratio).toBeCloseTo(4)
  })

  test('is unknown to the open imports of a new connection', async () => {
    const import_ = await history({ registeredAt: after(new Date(), -60_000) })
    const [open] = await import_.show('open_imports')
    expect(open).toMatchObject({ usual_duration_s: null, age_ratio: null, is_stalled: false, is_overdue: null })
    expect(open?.age_s).toBeGreaterThan(59)
    await import_.stopped(5)
    expect(await import_.show('open_imports')).toEqual([])
  })
})

describe('webhooks', () => {
  test('are shown with what came of them, and with no secret', async () => {
    const import_ = await history()
    const { name } = await world.connectionRow(import_.connectionId)
    const { id: endpointId } = await world.endpoint({
      connections: [name],
      types: [...eventTypes],
      url: 'https://user@hooks.example.com/in?token=secret-1',
      previousSecrets: [{ secret: 'secret-4', expiresAt: start.toISOString() }],
      lastSuccessAt: at(5),
    })
    await world.db
      .update(webhookEndpoints)
      .set({ secret: 'secret-2', headers: 'secret-3' })
      .where(eq(webhookEndpoints.id, endpointId))
    await import_.changed(1, running)
    await import_.changed(5, finished)
    const [first, second] = await world.deliveriesOf(endpointId)
    if (!first || !second) throw new Error('two deliveries were to be made')
    const attempt = { deliveryId: first.id, startedAt: at(5), outcome: 'timeout', durationMs: 20_000 }
    await world.attempt({ ...attempt, number: 1 })
    await world.attempt({ ...attempt, number: 2, startedAt: at(30), outcome: 'delivered', status: 204, durationMs: 12 })
    await world.attempt({
      ...attempt,
      deliveryId: second.id,
      number: 1,
      outcome: 'invalid_http',
      errorCode: 'headers_too_large',
    })
    await world.db
      .update(deliveries)
      .set({
        state: 'delivered',
        attempts: 1,
        manualAttempts: 1,
        deliveredAt: after(first.createdAt, 29_000),
        nextAttemptAt: null,
      })
      .where(eq(deliveries.id, first.id))
    const shown = await import_.show('webhook_deliveries', 'state')
    expect(shown).toMatchObject([
      {
        delivery_id: first.id,
        state: 'delivered',
        endpoint_url: 'https://hooks.example.com/in',
        connection: name,
        attempts: 2,
        first_attempt_at: expect.anything(),
        last_outcome: 'delivered',
        last_status: 204,
        last_error_code: null,
        last_duration_ms: 12,
        delivered_after_s: 29,
      },
      {
        delivery_id: second.id,
        state: 'pending',
        last_outcome: 'invalid_http',
        last_status: null,
        last_error_code: 'headers_too_large',
      },
    ])
    const [health] = await world.db.transaction(async (tx) => {
      await tx.execute(sql`SELECT set_config('reporting.now', ${at(3_600).toISOString()}, true)`)
      return (await tx.execute(sql`SELECT * FROM reporting.endpoint_health WHERE endpoint_id = ${endpointId}`)).rows
    })
    expect(health).toMatchObject({
      health: 'healthy',
      endpoint_url: 'https://hooks.example.com/in',
      pending: '1',
      exhausted: '0',
      delivered_last_24_h: '1',
      delivered_after_median_s_last_24_h: 29,
    })
    expect(JSON.stringify([shown, health])).not.toMatch(/secret-|token=/)
  })

  test('count from their event, also where they were replayed', async () => {
    const import_ = await history()
    const { name } = await world.connectionRow(import_.connectionId)
    const { id: endpointId } = await world.endpoint({ connections: [name], types: ['import.succeeded'] })
    await import_.changed(5, finished)
    await world.db
      .update(deliveries)
      .set({ state: 'delivered', createdAt: at(3_600), deliveredAt: at(3_605), nextAttemptAt: null })
      .where(eq(deliveries.endpointId, endpointId))
    const [shown] = await import_.show('webhook_deliveries')
    expect(new Date(String(shown?.created_at))).toEqual(at(5))
    expect(shown?.delivered_after_s).toBe(3_600)
  })

  test('that tell of no import are shown, too', async () => {
    const { name, id: connectionId } = await world.connection()
    const { id: endpointId } = await world.endpoint({ connections: [name], types: ['connection.paused'] })
    const event = { type: 'connection.paused', importId: null, connectionId, connectionName: name } as const
    await world.db.transaction((tx) => writeEvents(tx, [{ ...event, occurredAt: at(0), data: { id: newId() } }]))
    expect(await ask(sql`SELECT * FROM reporting.webhook_deliveries WHERE endpoint_id = ${endpointId}`)).toMatchObject([
      { event_type: 'connection.paused', import_id: null, connection: name, delivered_after_s: null },
    ])
  })

  test.each([
    ['deleted', { deletedAt: start, disabledAt: start }],
    ['disabled', { disabledAt: start, disabledReason: 'gone', failingSince: start }],
    ['failing', { failingSince: start, failures: 5 }],
    ['waiting', { blockedUntil: new Date(Date.now() + 3_600_000) }],
    ['healthy', { blockedUntil: start }],
  ])('of an endpoint that is %s say so', async (expected, columns) => {
    const { id: endpointId } = await world.endpoint({ connections: ['none'], ...columns })
    const rows = await ask(sql`SELECT health FROM reporting.endpoint_health WHERE endpoint_id = ${endpointId}`)
    expect(rows).toEqual([{ health: expected }])
  })
})
