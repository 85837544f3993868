// Owns polling as a kind of work: ask, assess the answer, record it. Asking and recording are separate, so that an
// unreachable database never looks like a failing provider.
import { sql } from 'drizzle-orm'
import type { Clock } from '../base/clock.ts'
import { after } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { learnFrom } from '../baselines/keep.ts'
import { createBaselines } from '../baselines/read.ts'
import type { ConnectionAccesses } from '../connections/access.ts'
import { type MadeCall, reactForConnection, saysSomething } from '../connections/react.ts'
import { countRequest } from '../connections/reserve.ts'
import { connectionsToServe } from '../connections/rooms.ts'
import type { Transaction } from '../db/client.ts'
import { recordLost, recordSettled } from '../imports/end.ts'
import { findMoving } from '../imports/moving-fields.ts'
import type { Observation, Stored } from '../imports/observation.ts'
import { recordPollUrls } from '../imports/poll-url.ts'
import { putOffPoll } from '../imports/polling-row.ts'
import { recordReports } from '../imports/record.ts'
import { type Note, recordUnchanged } from '../imports/record-unchanged.ts'
import { askStatus } from '../providers/ask.ts'
import { type ProviderClient, ProviderError } from '../providers/client.ts'
import { hasPages } from '../providers/facts.ts'
import type { FailedCall } from '../reporting/failed-calls.ts'
import type { Hold, Kind, Recorded, WorkName } from '../work/kind.ts'
import { type Assessment, assess, type Heard, withMovingFields } from './assess.ts'
import { beginPolls, type Poll } from './begin.ts'
import { endedOf, ranOf } from './ended.ts'

export interface PollDeps {
  clock: Clock
  log: Log
  client: ProviderClient
  accesses: ConnectionAccesses
  observe: PollObserver
}

/** Called for every poll, for the metrics. */
export type PollObserver = (poll: { provider: string; outcome: string; latenessMs: number; durationMs: number }) => void

/** A poll that was answered, or that failed. */
export interface Polled {
  item: Poll
  heard: Heard
  assessment: Assessment
  startedAt: Date
  polledAt: Date
}

/** How many requests one process has under way at most. */
export const mostPolls = 1_000
/** How long an import is put off if its poll can't be stored. */
const putOffMs = 60_000

export function pollWork(deps: PollDeps): Kind<Poll, Polled> {
  const baselines = createBaselines()
  return {
    name: 'poll',
    most: mostPolls,
    restMs: 20,
    due: (db, now, limit) => connectionsToServe(db, { kind: 'poll', oldestDue: oldestDue(now), limit }, now),
    begin: (tx, owners, room, now) => beginPolls({ ...deps, baselines }, tx, { owners, most: room, now }),
    act: (item, hold) => poll(deps, item, hold),
    record: (tx, polled, now) => record(deps, tx, polled, now),
    putOff: (tx, { id }, _error, now) => putOffPoll(tx, id, { at: now, dueAt: after(now, putOffMs) }),
  }
}

export function oldestDue(now: Date) {
  return sql`SELECT due_at FROM polling WHERE connection_id = connections.id AND due_at <= ${now} ORDER BY due_at LIMIT 1`
}

async function poll({ clock, client }: PollDeps, item: Poll, hold: Hold): Promise<Polled | 'aborted'> {
  if (!hold.isHeld()) return 'aborted'
  const startedAt = clock.now()
  const heard = await ask(client, item, hold)
  if (heard === 'aborted') return 'aborted'
  return polledOf(item, heard, { startedAt, polledAt: clock.now() })
}

/** Returns a poll with what its answer means. */
export function polledOf(item: Poll, heard: Heard, times: { startedAt: Date; polledAt: Date }): Polled {
  const { tracked, access, stretch, baseline } = item
  return { item, heard, assessment: assess(tracked, { ...access, stretch, baseline }, heard, times.polledAt), ...times }
}

async function ask(
  client: ProviderClient,
  { tracked, access }: Poll,
  { signal, isHeld }: Hold,
): Promise<Heard | 'aborted'> {
  try {
    const answer = await askStatus(client, access.provider, access, tracked.jobId, {
      signal,
      mayGoOn: isHeld,
      at: tracked.pollUrl,
    })
    return { kind: 'answer', answer }
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error
    return error.kind === 'aborted' ? 'aborted' : { kind: 'error', error }
  }
}

async function record(deps: PollDeps, tx: Transaction, given: readonly Polled[], now: Date): Promise<Recorded> {
  const due = new Set<WorkName>()
  for (const polled of given) for (const name of await react(tx, polled)) due.add(name)
  const round = await withoutMoving(tx, given)
  const stored = await store(tx, round)
  if (stored.some(({ hasEvents }) => hasEvents)) due.add('deliver')
  if (stored.some(({ collects }) => collects)) due.add('collect')
  const ids = new Set(stored.flatMap((one) => [...one.ids]))
  await recordPollUrls(
    tx,
    round.flatMap(({ item, heard }) => (ids.has(item.id) ? pollUrlOf(item.id, heard) : [])),
  )
  await learnFrom(tx, round.filter(({ item }) => ids.has(item.id)).flatMap(endedOf), now)
  return {
    due,
    report() {
      for (const polled of round) report(deps, polled, ids.has(polled.item.id))
    },
  }
}

async function react(tx: Transaction, { item, heard, polledAt }: Polled): Promise<readonly WorkName[]> {
  const { access, id } = item
  if (heard.kind === 'answer' && heard.answer.requests > 1) await countRequest(tx, access, polledAt)
  const call = callOf(id, heard)
  return saysSomething(access, call) ? reactForConnection(tx, access, call, polledAt) : []
}

function pollUrlOf(importId: string, heard: Heard) {
  const pollUrl = heard.kind === 'answer' ? heard.answer.pollUrl : null
  return pollUrl ? [{ importId, pollUrl }] : []
}

function callOf(importId: string, heard: Heard): MadeCall {
  if (heard.kind === 'error') return { importId, what: 'status', error: heard.error }
  const { summaryError } = heard.answer
  return { importId, what: summaryError === null ? 'status' : 'summary', error: summaryError }
}

/** If a report differs in its body alone, compares it with the snapshot before to find moving fields. */
async function withoutMoving(tx: Transaction, round: readonly Polled[]): Promise<readonly Polled[]> {
  const bodies = round.flatMap(({ item, assessment }) =>
    assessment.kind === 'changed' && assessment.bodyOnly
      ? [{ tracked: item.tracked, body: assessment.answer.report.body }]
      : [],
  )
  if (bodies.length === 0) return round
  const found = await findMoving(tx, bodies)
  return round.map((polled) => {
    const { item, assessment } = polled
    const moving = found.get(item.id)
    if (assessment.kind !== 'changed' || moving === undefined) return polled
    return { ...polled, assessment: withMovingFields(assessment, item.access.volatileFields, moving) }
  })
}

/** Stores changed reports first, because they lock the imports' own rows. */
async function store(tx: Transaction, round: readonly Polled[]): Promise<Stored[]> {
  const changed = round.flatMap((polled) => {
    const { assessment } = polled
    if (assessment.kind !== 'changed') return []
    const dueAt = assessment.next && after(polled.polledAt, assessment.next.delayMs)
    const wantedMs = assessment.next?.wantedMs ?? null
    return [{ ...seen(polled), ...assessment, ran: ranOf(polled), dueAt, wantedMs, polls: 1 as const }]
  })
  const unchanged = round.flatMap((polled) => {
    const { assessment, item, polledAt } = polled
    if (assessment.kind !== 'unchanged') return []
    const { sameReport, failures, notFounds, notFoundSince, next, foreseen } = assessment
    const counts = { sameReport, failures, notFounds, notFoundSince }
    const due = { dueAt: after(polledAt, next.delayMs), wantedMs: next.wantedMs, foreseen }
    return [{ ...seen(polled), ...counts, ...due, note: noteOf(item, assessment) }]
  })
  // A poll that changes nothing can be lost without harm, so the commit doesn't wait for the disk.
  if (unchanged.length === round.length && unchanged.every(({ note }) => note === null))
    await tx.execute(sql`SET LOCAL synchronous_commit = off`)
  const stored = [await recordReports(tx, changed), await recordUnchanged(tx, unchanged)]
  for (const polled of round) {
    const { assessment } = polled
    if (assessment.kind === 'lost') stored.push(await recordLost(tx, { ...seen(polled), ...assessment, polls: 1 }))
    if (assessment.kind === 'settled')
      stored.push(await recordSettled(tx, { ...seen(polled), ...assessment, ran: ranOf(polled), polls: 1 }))
  }
  return stored
}

function seen({ item, heard, polledAt }: Polled): Observation {
  const { tracked, access } = item
  return {
    importId: item.id,
    expectedPolls: tracked.polls,
    from: tracked.state,
    polledAt,
    failedCall: failedCallOf(heard),
    connection: { id: access.id, provider: access.provider.name, hasPages: hasPages(access.provider) },
  }
}

/** Returns null if the import's own row stays as it is. */
function noteOf({ tracked }: Poll, shown: Extract<Assessment, { kind: 'unchanged' }>): Note | null {
  const { attention, attentionEvent, heldOutcome, lastError, sameReport } = shown
  const isSame =
    attention === tracked.attention &&
    attentionEvent === null &&
    heldOutcome === null &&
    tracked.heldOutcome === null &&
    lastError === null &&
    !tracked.hasError &&
    !(sameReport && tracked.isRefused)
  return isSame ? null : { attention, attentionEvent, heldOutcome, lastError }
}

/** For an import that is over, the second call may fail although the first one succeeded. */
function failedCallOf(heard: Heard): FailedCall | null {
  if (heard.kind === 'error') return { call: 'status', code: heard.error.kind }
  const { summaryError } = heard.answer
  return summaryError && { call: 'summary', code: summaryError.kind }
}

function report({ log, observe }: PollDeps, polled: Polled, isStored: boolean): void {
  const { item, heard, assessment, startedAt, polledAt } = polled
  const { tracked, access } = item
  const outcome = heard.kind === 'error' ? heard.error.kind : assessment.kind
  const latenessMs = Math.max(startedAt.getTime() - tracked.dueAt.getTime(), 0)
  const durationMs = polledAt.getTime() - startedAt.getTime()
  observe({ provider: access.provider.name, outcome, latenessMs, durationMs })
  log.info(
    {
      importId: tracked.id,
      connection: access.name,
      provider: access.provider.name,
      outcome,
      recorded: isStored ? 'recorded' : 'stale',
      state: stateAfter(assessment, tracked.state),
      providerStatus: heard.kind === 'answer' ? heard.answer.report.providerStatus : heard.error.status,
      poll: tracked.polls + 1,
      latenessMs,
      durationMs,
      ...('next' in assessment &&
        assessment.next && { nextInMs: Math.round(assessment.next.delayMs), basis: assessment.next.basis }),
    },
    'poll',
  )
}

function stateAfter(assessment: Assessment, before: string): string {
  if (assessment.kind === 'changed') return assessment.to
  if (assessment.kind === 'settled') return assessment.held.state
  return assessment.kind === 'lost' ? 'lost' : before
}
