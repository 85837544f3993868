// Snapshots are run-length encoded. Here every poll is stored beside them, and the views must say what the polls say.
import { sql } from 'drizzle-orm'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { after } from '../../src/base/clock.ts'
import { fingerprintOf } from '../../src/imports/fingerprint.ts'
import { resumeImport } from '../../src/imports/resume.ts'
import { stopImport } from '../../src/imports/stop.ts'
import { type ImportState, isOver, stateAfter } from '../../src/model/import-state.ts'
import type { Report } from '../../src/providers/contract.ts'
import { withTimesThatCanBe } from '../../src/providers/times.ts'
import { recordReport, recordUnchanged } from '../imports/recording.ts'
import { aReport } from '../support/worlds/polls.ts'
import { useWorld } from '../support/worlds/world.ts'

const world = useWorld()
const start = new Date('2026-03-01T12:00:00.000Z')

/** A poll that was answered, as the model keeps it. */
interface Poll {
  at: number
  state: string
  status: string | null
  progress: number | null
  /** Which of its times can be. */
  canBe: string
  /** Its report is another one than that of the poll before, or tracking was interrupted between them. */
  begins: boolean
}

const answers = [
  { state: 'queued', providerStatus: 'WAITING' },
  { state: 'running', providerStatus: 'RUNNING' },
  { state: 'running', providerStatus: 'LOADING' },
  { state: 'unknown', providerStatus: 'UNKNOWN' },
] as const satisfies Partial<Report>[]
const ends = [
  { state: 'succeeded', providerStatus: 'FINISHED' },
  { state: 'failed', providerStatus: 'FAILED' },
] as const satisfies Partial<Report>[]

const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ answer: fc.constantFrom(...answers), progress: fc.constantFrom(null, 0, 0.5, 1) }),
  },
  { weight: 1, arbitrary: fc.constant('refused' as const) },
  { weight: 1, arbitrary: fc.constant('interrupted' as const) },
)
const course = fc.record({
  steps: fc.array(
    fc.record({ ms: fc.integer({ min: 1, max: 100_000 }), step, times: fc.integer({ min: 1, max: 4 }) }),
    {
      minLength: 1,
      maxLength: 15,
    },
  ),
  end: fc.option(fc.constantFrom(...ends)),
  /** The provider's own times, in milliseconds after the registration; in any order. */
  times: fc.record({ created: time(), started: time(), finished: time() }),
})

test('the views say what every single poll says', async () => {
  await fc.assert(
    fc.asyncProperty(course, async ({ steps, end, times }) => {
      world.clock.set(start)
      const { id } = await world.import({ registeredAt: start })
      const polls: Poll[] = []
      let calls = 0
      let state: ImportState = 'pending'
      /** The times that could be, once they could. */
      const known: typeof times = { created: null, started: null, finished: null }
      const moment = (ms: number | null) => (ms === null ? null : after(start, ms))

      async function poll(said: Partial<Report>) {
        const row = await world.importRow(id)
        const given = aReport({
          ...said,
          createdAt: moment(times.created),
          startedAt: moment(times.started),
          finishedAt: isEnd(said) ? moment(times.finished) : null,
        })
        const report = withTimesThatCanBe(given, world.clock.now())
        known.created ??= report.createdAt && times.created
        known.started ??= report.startedAt && times.started
        known.finished ??= report.finishedAt && times.finished
        const from = row.state as ImportState
        const { to } = stateAfter(from, report.state)
        const fingerprint = fingerprintOf(report, { volatileFields: [] })
        const seen = { polledAt: world.clock.now() }
        const isSame = !isOver(to) && to === from && fingerprint === row.fingerprint
        if (isSame) await recordUnchanged(world.db, [world.unchanged(row, seen)])
        else {
          const change = await world.changed(row, report, { ...seen, to })
          expect(await recordReport(world.db, change)).toBe('stored')
        }
        const last = polls.at(-1)
        // Resumed, it is pending again, which the last report goes on to be told of: only a change of state begins anew.
        const { providerStatus: status } = report
        const progress = to === 'succeeded' ? 1 : report.progress // whatever it said last
        const canBe = [report.createdAt, report.startedAt, report.finishedAt].map((time) => (time ? 'x' : '-')).join('')
        const isOther = status !== last?.status || progress !== last?.progress || canBe !== last?.canBe
        const begins = !last || to !== state || isOther
        const at = seen.polledAt.getTime() - start.getTime()
        const now: Poll = { at, state: begins ? to : last.state, status, progress, canBe, begins }
        state = to
        calls++
        polls.push(now)
      }

      for (const { ms: gap, step, times: repeats } of steps)
        for (let repeat = 0; repeat < repeats; repeat++) {
          world.clock.advance(gap)
          if (step === 'interrupted') {
            await stopImport(world, id)
            world.clock.advance(1)
            await resumeImport(world, id)
            state = 'pending'
          } else if (step === 'refused') {
            const refused = { polledAt: world.clock.now(), sameReport: false }
            await recordUnchanged(world.db, [world.unchanged(await world.importRow(id), refused)])
            calls++
          } else await poll({ ...step.answer, progress: step.progress })
        }
      world.clock.advance(1_000)
      if (end) await poll(end)

      expect(await progressOf(id)).toEqual(runs(polls))
      expect(await periodsOf(id)).toEqual(periods(polls))
      expect(await importOf(id)).toEqual({ polls: calls, ...durations(polls, known) })
    }),
    { numRuns: 60 },
  )
})

function time() {
  return fc.option(fc.integer({ min: -500_000, max: 500_000 }))
}

function isEnd({ state }: Partial<Report>): boolean {
  return state === 'succeeded' || state === 'failed'
}

/** Polls in a row for which nothing begins. */
function grouped(polls: readonly Poll[], begins: (poll: Poll, before: Poll | undefined) => boolean): Poll[][] {
  const groups: Poll[][] = []
  for (const [index, poll] of polls.entries())
    if (begins(poll, polls[index - 1])) groups.push([poll])
    else groups.at(-1)?.push(poll)
  return groups
}

function runs(polls: readonly Poll[]) {
  return grouped(polls, ({ begins }) => begins).map((run) => ({
    from: run[0]?.at,
    to: run.at(-1)?.at,
    state: run[0]?.state,
    status: run[0]?.status,
    progress: run[0]?.progress,
    polls: run.length,
  }))
}

function periods(polls: readonly Poll[]) {
  const groups = grouped(polls, (poll, before) => poll.state !== before?.state || poll.status !== before?.status)
  return groups.map((group, index) => {
    const from = group[0]?.at ?? 0
    const to = groups[index + 1]?.[0]?.at ?? group.at(-1)?.at ?? 0
    const { state, status } = group[0] ?? {}
    return { period: index + 1, state, status, from, to, duration_ms: to - from, polls: group.length }
  })
}

function durations(
  polls: readonly Poll[],
  told: { created: number | null; started: number | null; finished: number | null },
) {
  const end = polls.find(({ state }) => isOver(state as ImportState))
  const lastLive = polls.findLast(({ state }) => !isOver(state as ImportState))
  const isTold = polls.length > 0
  const created = (isTold ? (told.created ?? told.started) : null) ?? 0
  const started = (isTold ? told.started : null) ?? polls.find(({ state }) => state === 'running')?.at ?? null
  const middle = end && lastLive ? end.at - (end.at - lastLive.at) / 2 : null
  const ended = end ? (told.finished ?? middle) : null
  const between = (from: number | null, to: number | null) =>
    from === null || to === null || to < from ? null : to - from
  return {
    queued_ms: between((isTold ? told.created : null) ?? 0, started), // registered at 0
    running_ms: between(started, ended),
    total_ms: between(created, ended),
    gap_ms: end && lastLive ? end.at - lastLive.at : null,
  }
}

async function rowsOf(query: ReturnType<typeof sql>) {
  return (await world.db.execute(query)).rows
}

const sinceStart = (column: string) =>
  sql`round(extract(epoch FROM ${sql.identifier(column)} - ${start}::timestamptz) * 1000)::int`

function progressOf(id: string) {
  return rowsOf(sql`
    SELECT ${sinceStart('first_seen_at')} AS "from", ${sinceStart('last_seen_at')} AS "to",
      state, provider_status AS status, progress, polls
    FROM reporting.progress WHERE import_id = ${id} ORDER BY first_seen_at`)
}

function periodsOf(id: string) {
  return rowsOf(sql`
    SELECT period::int, state, provider_status AS status, ${sinceStart('from_at')} AS "from", ${sinceStart('to_at')} AS "to",
      round(duration_s * 1000)::int AS duration_ms, polls::int
    FROM reporting.status_periods WHERE import_id = ${id} ORDER BY period`)
}

async function importOf(id: string) {
  const [row] = await rowsOf(sql`
    SELECT polls, queued_s * 1000 AS queued_ms, running_s * 1000 AS running_ms, total_s * 1000 AS total_ms,
      detection_gap_s * 1000 AS gap_ms
    FROM reporting.imports WHERE import_id = ${id}`)
  const rounded = (value: unknown) => (typeof value === 'number' ? Math.round(value * 1_000) / 1_000 : value)
  return Object.fromEntries(Object.entries(row ?? {}).map(([name, value]) => [name, rounded(value)]))
}
