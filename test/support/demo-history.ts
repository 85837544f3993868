// Owns the history that the cookbook asks: the demo's scenarios on the demo's connections, day by day through February
// and March 2026, registered and recorded by the real code on a clock of their own. Seeded: it is always the same.
// DATABASE_URL=… node test/support/demo-history.ts fills an empty database with it.
import { eq, sql } from 'drizzle-orm'
import { after, type Clock } from '../../src/base/clock.ts'
import { newId } from '../../src/base/ids.ts'
import type { Database } from '../../src/db/client.ts'
import { connections, detailPages, imports, skippedLines, webhookEndpoints } from '../../src/db/schema/index.ts'
import {
  type ConnectionName as DemoConnectionName,
  connections as demoConnections,
} from '../../src/demo/connections.ts'
import { type Scenario, scenarios } from '../../src/demo/scenarios.ts'
import { makePartitions } from '../../src/history/partitions.ts'
import { selectImports } from '../../src/imports/columns.ts'
import { fingerprintOf } from '../../src/imports/fingerprint.ts'
import { registerImport } from '../../src/imports/register.ts'
import { stopImport } from '../../src/imports/stop.ts'
import {
  type Attention,
  attentionEvent,
  type ImportState,
  importEventTypes,
  isOver,
} from '../../src/model/import-state.ts'
import type { DetailPage, Report } from '../../src/providers/contract.ts'
import type { ProviderErrorKind } from '../../src/providers/error.ts'
import { findProvider } from '../../src/providers/index.ts'
import { rollUp } from '../../src/reporting/daily-outcomes.ts'
import { recordLost, recordReport, recordUnchanged } from '../imports/recording.ts'

/** The moment that the history is told at. */
export const asOf = new Date('2026-03-31T18:00:00.000Z')
/** Who stops an import by hand. */
const nightDesk = { tokenId: null, name: 'night desk', scope: 'write' }
const firstDay = new Date('2026-02-01T00:00:00.000Z')
const minuteMs = 60_000
const dayMs = 86_400_000

/** Those that the history has. */
type ConnectionName = Exclude<DemoConnectionName, 'salesforce' | 'shopify' | 'mailchimp'>

/** What each connection imports, who asks for it, and how much slower than the demo it is, from March on too. */
const sources: Record<ConnectionName, { names: readonly string[]; team: string; pace: [number, number] }> = {
  cdq: { names: ['vendors', 'customers', 'banks'], team: 'master data', pace: [30, 30] },
  'cdq-busy': { names: ['addresses'], team: 'master data', pace: [25, 40] },
  micro: { names: ['leads', 'contacts'], team: 'sales', pace: [20, 18] },
  zilliant: { names: ['prices', 'costs'], team: 'pricing', pace: [40, 75] },
  fullstory: { names: ['events'], team: 'product', pace: [15, 15] },
  'fs-users': { names: ['users'], team: 'product', pace: [15, 16] },
}

type Random = () => number

/** One import of the history. */
interface Plan {
  connection: ConnectionName
  scenario: Scenario
  source: string
  jobId: string
  registeredAt: Date
  durationMs: number
  random: Random
  /** It isn't over at the moment of telling. */
  open?: 'runs' | 'stalls' | 'silent'
}

export async function fillDemoHistory(db: Database): Promise<void> {
  await makePartitions(db, new Date('2026-02-15T00:00:00.000Z')) // for deliveries, whose ids have the clock's time
  const ids = await insertConnections(db)
  await insertEndpoints(db)
  const plans = [...plan(), ...plansOfOpenOnes()]
  for (let index = 0; index < plans.length; index += 8)
    await Promise.all(plans.slice(index, index + 8).map((plan) => play(db, plan, ids[plan.connection])))
  await stopMistake(db)
  await settleDeliveries(db)
  await rollUp({ db }, new AbortController().signal)
}

/** Somebody registers the wrong job, and somebody else stops it. */
async function stopMistake(db: Database): Promise<void> {
  const clock = startClock(new Date('2026-03-30T21:40:00.000Z'))
  const metadata = { source: 'users', team: sources['fs-users'].team }
  const { importId } = await registerImport(
    { db, clock },
    { connection: 'fs-users', jobId: 'users-by-mistake', metadata },
  )
  clock.set(after(clock.now(), 12 * minuteMs))
  await stopImport({ db, clock, by: nightDesk }, importId)
}

function plan(): Plan[] {
  const plans: Plan[] = []
  const random = seeded(20_260_331)
  for (let day = firstDay; day < new Date(asOf.getTime() - dayMs / 2); day = after(day, dayMs))
    for (const connection of Object.keys(sources) as ConnectionName[]) {
      const { names, pace } = sources[connection]
      const theirs = scenarios.filter((scenario) => scenario.connection === connection && scenario.script !== null)
      const usual = theirs.filter(({ expected: { state } }) => state === 'succeeded' || state === 'partial')
      for (const source of names) {
        const isWeekend = day.getUTCDay() % 6 === 0
        if (isWeekend && random() < 0.7) continue
        const scenario = pick(random() < 0.12 ? theirs : usual, random)
        const spread = Math.exp((random() + random() + random() - 1.5) * 0.5)
        const factor = pace[day.getUTCMonth() === 1 ? 0 : 1] ?? 1
        const registeredAt = after(day, (6 + random() * 10) * 60 * minuteMs)
        plans.push({
          connection,
          scenario,
          source,
          jobId: `${source}-${day.toISOString().slice(5, 10)}`,
          registeredAt: new Date(Math.floor(registeredAt.getTime() / 1_000) * 1_000),
          durationMs: Math.round(Math.min(scenario.script?.durationMs ?? 5_000, 25_000) * factor * spread),
          random: seeded(plans.length),
        })
      }
    }
  return plans
}

/** What goes on at the end. */
function plansOfOpenOnes(): Plan[] {
  const open = (connection: ConnectionName, title: string, source: string, hours: number, how: Plan['open']): Plan => {
    const scenario = scenarios.find((one) => one.connection === connection && one.title === title)
    if (!scenario || !how) throw new Error(`no scenario ${title}`)
    const registeredAt = after(asOf, -hours * 60 * minuteMs)
    const jobId = `${source}-open`
    return { connection, scenario, source, jobId, registeredAt, durationMs: 0, random: seeded(hours), open: how }
  }
  return [
    open('cdq', 'long', 'vendors', 0.1, 'runs'),
    open('cdq', 'stalls at 60 %', 'banks', 3, 'stalls'),
    open('cdq-busy', 'waits along with it', 'addresses', 0.05, 'runs'),
    open('zilliant', 'long', 'prices', 50, 'silent'),
    open('zilliant', 'short', 'costs', 29, 'silent'),
    open('fullstory', 'short', 'events', 0.02, 'runs'),
  ]
}

async function play(db: Database, plan: Plan, connectionId: string): Promise<void> {
  const clock = startClock(plan.registeredAt)
  const { connection, scenario, source, jobId } = plan
  const metadata = { source, team: sources[connection].team }
  const { importId } = await registerImport({ db, clock }, { connection, jobId, metadata, deadlineMs: 3 * dayMs })
  const { provider } = demoConnections[connection]
  const poll = createPoll(db, clock, {
    importId,
    connection: {
      id: connectionId,
      name: connection,
      provider,
      hasPages: findProvider(provider).details !== undefined,
    },
  })
  const report = reporter(plan)

  const { state, lostReason } = scenario.expected
  const queuedMs = (scenario.script?.queuedMs ?? 0) * 30
  const endMs = plan.open ? asOf.getTime() - plan.registeredAt.getTime() : queuedMs + plan.durationMs
  const answersUntilMs = plan.open === 'silent' ? 90 * minuteMs : endMs
  for (let elapsedMs = 2_000; elapsedMs < endMs; elapsedMs += Math.max(15_000, elapsedMs * 0.4)) {
    clock.set(after(plan.registeredAt, elapsedMs))
    if (elapsedMs > answersUntilMs || plan.random() < 0.03) await poll.refused(plan.open ? 'server_error' : 'timeout')
    else if (elapsedMs < queuedMs) await poll.answered(report('queued', 0))
    else await poll.answered(report('running', (elapsedMs - queuedMs) / (endMs - queuedMs)), stalledAt(plan, elapsedMs))
  }
  if (plan.open) return
  clock.set(after(plan.registeredAt, endMs + Math.round(endMs * 0.2 * plan.random()) + 1_000))
  if (state === 'stopped') await stopImport({ db, clock, by: nightDesk }, importId)
  else if (state === 'lost' && lostReason) await poll.lost(lostReason)
  else {
    await poll.answered(report(state as Report['state'], 1), null, detailsOf(plan))
    if (scenario.expected.skippedLines > 1_000) await addPages(db, importId, plan, clock.now())
  }
}

function stalledAt({ open }: Plan, elapsedMs: number): Attention | null {
  return open === 'stalls' && elapsedMs > 60 * minuteMs ? 'stalled' : null
}

/** What the provider says, with as much as each of them does say. */
function reporter({ connection, scenario, registeredAt, durationMs, open }: Plan) {
  const { provider } = demoConnections[connection]
  const words = {
    cdq: { queued: 'WAITING', running: 'RUNNING', failed: 'FAILED', canceled: 'CANCELED', other: 'FINISHED' },
    micro: { queued: 'processing', running: 'processing', failed: 'failed', canceled: '', other: 'complete' },
    zilliant: { queued: 'RUNNING', running: 'RUNNING', failed: 'FAILED', canceled: '', other: 'SUCCEEDED' },
    fullstory: { queued: 'PROCESSING', running: 'PROCESSING', failed: 'FAILED', canceled: '', other: 'COMPLETED' },
  }[provider] as Record<string, string>
  const { rows: total = 100, updatedRows = 0, failedRows } = scenario.script ?? {}
  const queuedMs = (scenario.script?.queuedMs ?? 0) * 30
  const startedAt = after(registeredAt, queuedMs - 1_000)
  return (state: Report['state'], share: number): Report => {
    const over = isOver(state as ImportState)
    const failed = state === 'failed' ? total : state === 'partial' ? (failedRows ?? Math.ceil(total / 50)) : 0
    const progress = over ? 1 : Math.min(Math.floor(share * 10) / 10, open === 'stalls' ? 0.6 : 0.9)
    const processed = Math.floor(total * progress)
    const counts = { total, processed, inserted: null, updated: null, skipped: null }
    return {
      state,
      providerStatus: words[state] ?? words.other ?? null,
      message: state === 'failed' ? 'The import failed.' : null,
      progress: provider === 'cdq' || provider === 'micro' ? progress : null,
      rows: over
        ? { ...counts, succeeded: total - failed, failed, updated: updatedRows, inserted: total - failed - updatedRows }
        : { ...counts, succeeded: null, failed: null },
      createdAt: provider === 'zilliant' ? null : after(registeredAt, -1_000),
      startedAt: provider === 'zilliant' ? startedAt : null,
      finishedAt: over && (provider === 'zilliant' || provider === 'fullstory') ? after(startedAt, durationMs) : null,
      expiresAt: null,
      body: { status: words[state] ?? words.other },
    }
  }
}

const columns = [3, 3, 3, 3, 7, 7, 7, 12, 1, null]
const errors = [
  { code: 'invalid_email', message: 'The e-mail address is not one.' },
  { code: 'required_field', message: 'A required field is empty.' },
  { code: 'duplicate', message: 'The record is there already.' },
]

/** Some lines and rows, not the demo's thousands. */
function detailsOf({ scenario, random }: Plan): DetailPage | null {
  const { skippedLines: lines, rowResults: results } = scenario.expected
  if (lines === 0 && results === 0) return null
  return {
    skippedLines: Array.from({ length: Math.min(lines, 12) }, (_, index) => aLine(index, random)),
    rowResults: Array.from({ length: Math.min(results, 8) }, (_, index) => {
      const isWrong = scenario.expected.state !== 'succeeded' && random() < 0.6
      const error = isWrong ? pick(random() < 0.5 ? errors.slice(0, 1) : errors, random) : null
      return { recordId: isWrong ? null : `record-${index}`, created: !isWrong, existing: false, error }
    }),
    next: null,
  }
}

function aLine(index: number, random: Random) {
  return { line: 2 + index * 5 + Math.floor(random() * 3), column: pick(columns, random) }
}

/** Two further pages of skipped lines, as collecting them stores them. */
async function addPages(db: Database, importId: string, { random }: Plan, storedAt: Date): Promise<void> {
  for (const page of [1, 2]) {
    const lines = Array.from({ length: 12 }, (_, index) => aLine(page * 12 + index, random))
    const cursor = `page-${page}`
    await db
      .insert(detailPages)
      .values({ importId, page, cursor, nextCursor: null, skippedLines: 12, rowResults: 0, storedAt })
    await db.insert(skippedLines).values(lines.map((line, position) => ({ importId, page, position, ...line })))
  }
  await db.update(imports).set({ skippedLines: 36, rowsSkipped: 36 }).where(eq(imports.id, importId))
}

/** What a poll worker does with an answer, without the network. */
function createPoll(
  db: Database,
  clock: Clock,
  {
    importId,
    connection,
  }: { importId: string; connection: { id: string; name: string; provider: string; hasPages: boolean } },
) {
  const seen = async () => {
    const [found] = await selectImports(db).where(eq(imports.id, importId))
    if (!found) throw new Error(`no import ${importId}`)
    const { row } = found
    const polledAt = clock.now()
    const from = row.state as ImportState
    const at = { importId, expectedPolls: row.polls, from, polledAt, failedCall: null, connection }
    return { row, at, dueAt: after(polledAt, minuteMs) }
  }
  return {
    async answered(report: Report, attention: Attention | null = null, details: DetailPage | null = null) {
      const { row, at, dueAt } = await seen()
      const fingerprint = fingerprintOf(report, { volatileFields: [] })
      const to = report.state as ImportState
      const shown = { attention, attentionEvent: attentionEvent(row, attention), heldOutcome: null, lastError: null }
      if (fingerprint === row.fingerprint && at.from === to) {
        const same = { ...at, sameReport: true, failures: 0, ...notMissed, dueAt }
        await recordUnchanged(db, [{ ...same, note: shown }])
        return
      }
      const answer = { report, missing: null, details }
      const change = { ...at, answer, fingerprint, to, lostReason: null, ...shown, progressChanges: [] }
      await recordReport(db, { ...change, dueAt: isOver(to) ? null : dueAt, polls: 1 })
    },
    async refused(code: ProviderErrorKind) {
      const { at, dueAt } = await seen()
      const lastError = { code, message: 'The provider did not answer as it should.', at: at.polledAt.toISOString() }
      const failedCall = { call: 'status', code } as const
      const note = { attention: null, attentionEvent: null, heldOutcome: null, lastError }
      await recordUnchanged(db, [{ ...at, failedCall, sameReport: false, failures: 1, ...notMissed, dueAt, note }])
    },
    async lost(reason: NonNullable<Scenario['expected']['lostReason']>) {
      const { at } = await seen()
      await recordLost(db, { ...at, reason, lastError: null, polls: 1 })
    },
  }
}

const notMissed = { notFounds: 0, notFoundSince: null }

async function insertConnections(db: Database): Promise<Record<ConnectionName, string>> {
  const ids = {} as Record<ConnectionName, string>
  for (const name of Object.keys(sources) as ConnectionName[]) {
    ids[name] = newId()
    const { provider } = demoConnections[name]
    const required = { credentials: '', settings: {}, limits: {}, createdAt: firstDay, updatedAt: firstDay }
    await db.insert(connections).values({ id: ids[name], name, provider, ...required })
  }
  return ids
}

async function insertEndpoints(db: Database): Promise<void> {
  const required = { secret: '', createdAt: firstDay, updatedAt: firstDay }
  const failingSince = new Date('2026-03-29T08:00:00.000Z')
  await db.insert(webhookEndpoints).values([
    {
      ...required,
      id: newId(),
      url: 'https://hooks.example.com/imports?key=hidden',
      types: [...importEventTypes],
      lastSuccessAt: after(asOf, -3 * minuteMs),
    },
    {
      ...required,
      id: newId(),
      url: 'https://erp.example.com/prices',
      types: ['import.succeeded', 'import.partial', 'import.failed', 'import.lost'],
      connections: ['zilliant'],
      lastSuccessAt: after(failingSince, -17 * 60 * minuteMs),
      failures: 14,
      firstFailureAt: failingSince,
      failingSince,
      nextProbeAt: after(asOf, 4 * minuteMs),
    },
  ])
}

/** What came of the webhooks, by the time of their events: there are no receivers. */
async function settleDeliveries(db: Database): Promise<void> {
  await db.execute(sql`
    WITH judged AS (
      SELECT d.id, d.created_at, d.created_at >= p.failing_since AS is_dead, extract(second FROM d.created_at)::int % 7 = 0 AS is_slow
      FROM deliveries d JOIN webhook_endpoints p ON p.id = d.endpoint_id
    ), attempts AS (
      INSERT INTO delivery_attempts (delivery_id, number, manual, started_at, duration_ms, outcome, status)
      SELECT id, number, false, created_at + (CASE number WHEN 1 THEN 1 ELSE 7 END) * interval '1 s', 180,
        CASE WHEN is_dead OR (is_slow AND number = 1) THEN 'http_error' ELSE 'delivered' END,
        CASE WHEN is_dead OR (is_slow AND number = 1) THEN 503 ELSE 204 END
      FROM judged CROSS JOIN generate_series(1, 2) AS number
      WHERE number = 1 OR is_dead OR is_slow
    )
    UPDATE deliveries d SET
      attempts = CASE WHEN is_dead OR is_slow THEN 2 ELSE 1 END,
      is_retry = coalesce(is_dead, false) OR is_slow,
      state = CASE WHEN is_dead THEN 'pending' ELSE 'delivered' END,
      next_attempt_at = CASE WHEN is_dead THEN ${asOf}::timestamptz + interval '10 min' END,
      delivered_at = CASE WHEN is_dead THEN NULL ELSE d.created_at + (CASE WHEN is_slow THEN 7 ELSE 1 END) * interval '1 s' END
    FROM judged WHERE judged.id = d.id`)
}

function startClock(start: Date): Clock & { set(now: Date): void } {
  let now = start
  return {
    now: () => new Date(now),
    set(next) {
      now = next
    },
  }
}

/** The same numbers in [0, 1) for the same seed (mulberry32). */
function seeded(seed: number): Random {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

function pick<Item>(items: readonly Item[], random: Random): Item {
  const item = items[Math.floor(random() * items.length)]
  if (item === undefined) throw new Error('there is nothing to pick from')
  return item
}

if (import.meta.main) {
  const { openDatabase } = await import('../../src/db/client.ts')
  const { migrate } = await import('../../src/db/migrate.ts')
  const { DATABASE_URL } = process.env
  if (!DATABASE_URL) throw new Error('DATABASE_URL must name an empty database.')
  const database = openDatabase(DATABASE_URL, { maxConnections: 8, onError: console.error })
  await migrate(database)
  await fillDemoHistory(database.db)
  await database.close()
}
