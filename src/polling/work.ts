// Owns one poll: ask, work out what the answer means, record it. Asking and recording stay apart, so that a database
// that is away never looks like a provider that failed. Which polls are due is connections/rooms.ts's business.
import type { Clock } from '../base/clock.ts'
import { after } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { ConnectionAccess } from '../connections/access.ts'
import { type MadeCall, reactForConnection } from '../connections/react.ts'
import { countRequest } from '../connections/reserve.ts'
import type { Database } from '../db/client.ts'
import { findMoving } from '../imports/moving-fields.ts'
import { type Observation, type RecordResult, recordLost, recordReport } from '../imports/record.ts'
import { recordRaised } from '../imports/record-unchanged.ts'
import { recordSettled } from '../imports/settle.ts'
import type { TrackedImport } from '../imports/tracked.ts'
import type { ImportState } from '../model/import-state.ts'
import { askStatus } from '../providers/ask.ts'
import { type ProviderClient, ProviderError } from '../providers/client.ts'
import type { Payload } from '../queue/jobs.ts'
import type { FailedCall } from '../reporting/failed-calls.ts'
import { holdPoll, releasePolls } from '../work/leases.ts'
import type { Wake } from '../work/wake.ts'
import { type Assessment, assess, type Heard, withMovingFields } from './assess.ts'
import type { PollBatches } from './batches.ts'

export interface PollDeps {
  db: Database
  clock: Clock
  log: Log
  client: ProviderClient
  batches: PollBatches
  wake: Wake
  observe: PollObserver
}

/** Told of every poll, for the metrics. */
export type PollObserver = (poll: { provider: string; outcome: string; latenessMs: number; durationMs: number }) => void

/** The processor of the `poll` queue. */
export function createPollWorker(deps: PollDeps): (payload: Payload<'poll'>, signal: AbortSignal) => Promise<void> {
  return async ({ importId, leaseUntil }, signal) => {
    const startedAt = deps.clock.now()
    const pollable = await deps.batches.load(importId)
    if (!pollable || !(await isClaimed(deps.db, pollable.tracked, leaseUntil, startedAt))) return
    const { tracked, access } = pollable

    const heard = await ask(deps, tracked, access, signal)
    if (heard === 'aborted') return releasePolls(deps.db, [importId])
    const polledAt = deps.clock.now()
    const assessment = await withoutMoving(deps.db, tracked, access, assess(tracked, access, heard, polledAt))
    await reactForConnection(deps, access, callOf(importId, heard), polledAt)
    if (heard.kind === 'answer' && heard.answer.requests > 1) await countRequest(deps.db, access, polledAt)
    const seen = { importId, expectedPolls: tracked.polls, polledAt, failedCall: failedCallOf(heard) }
    const result = await record(deps, tracked, access, assessment, seen)
    report(deps, { tracked, access, heard, assessment, result, startedAt, polledAt })
  }
}

/** Where the body alone is another one, a look at the one before says what moves in it. */
async function withoutMoving(db: Database, tracked: TrackedImport, access: ConnectionAccess, assessment: Assessment) {
  if (assessment.kind !== 'changed' || !assessment.bodyOnly) return assessment
  return withMovingFields(assessment, access, await findMoving(db, tracked, assessment.answer.report.body))
}

/** A poll runs only under the lease that it was claimed with and that isn't over: otherwise another one may be under way. */
async function isClaimed(
  db: Database,
  { id: importId, nextPollAt, pollLeaseUntil }: TrackedImport,
  leaseUntil: number,
  now: Date,
): Promise<boolean> {
  if (nextPollAt === null || pollLeaseUntil?.getTime() !== leaseUntil || pollLeaseUntil <= now) return false
  return holdPoll(db, { importId, leaseUntil: pollLeaseUntil, now })
}

async function ask(
  { client, db, clock }: PollDeps,
  tracked: TrackedImport,
  access: ConnectionAccess,
  signal: AbortSignal,
): Promise<Heard | 'aborted'> {
  const beforeSummary = () => holdPoll(db, { importId: tracked.id, leaseUntil: null, now: clock.now() })
  try {
    const answer = await askStatus(client, access.provider, access, tracked.jobId, { signal, beforeSummary })
    return { kind: 'answer', answer }
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error
    return error.kind === 'aborted' ? 'aborted' : { kind: 'error', error }
  }
}

function callOf(importId: string, heard: Heard): MadeCall {
  if (heard.kind === 'error') return { importId, what: 'status', error: heard.error }
  const { summaryError } = heard.answer
  return { importId, what: summaryError === null ? 'status' : 'summary', error: summaryError }
}

async function record(
  deps: PollDeps,
  tracked: TrackedImport,
  access: ConnectionAccess,
  assessment: Assessment,
  seen: Observation,
): Promise<RecordResult | { kind: 'unchanged' }> {
  const result = await recordAssessment(deps, tracked, access, assessment, seen)
  if (result.kind === 'recorded') {
    if (result.events.length > 0) deps.wake.deliver()
    if (result.collect) deps.wake.collect()
  }
  return result
}

async function recordAssessment(
  { db, batches }: PollDeps,
  tracked: TrackedImport,
  access: ConnectionAccess,
  assessment: Assessment,
  seen: Observation,
): Promise<RecordResult | { kind: 'unchanged' }> {
  const { polledAt } = seen
  const connection = { id: access.id, name: access.name, provider: access.provider.name }
  const from = tracked.state as ImportState
  if (assessment.kind === 'lost') return recordLost(db, { ...seen, ...assessment, connection, from, polls: 1 })
  if (assessment.kind === 'settled') return recordSettled(db, { ...seen, ...assessment, connection, from, polls: 1 })
  if (assessment.kind === 'changed') {
    const nextPollAt = assessment.next && after(polledAt, assessment.next.delayMs)
    return recordReport(db, { ...seen, ...assessment, connection, from, nextPollAt, polls: 1 })
  }
  const { next, attentionEvent, ...unchanged } = assessment
  const poll = { ...seen, ...unchanged, nextPollAt: after(polledAt, next.delayMs) }
  if (attentionEvent !== null) return recordRaised(db, { ...poll, connection, from, attentionEvent })
  await batches.recordUnchanged(poll)
  return { kind: 'unchanged' }
}

/** Of an import that is over, the second call may have failed though the first one didn't. */
function failedCallOf(heard: Heard): FailedCall | null {
  if (heard.kind === 'error') return { call: 'status', code: heard.error.kind }
  const { summaryError } = heard.answer
  return summaryError && { call: 'summary', code: summaryError.kind }
}

interface Polled {
  tracked: TrackedImport
  access: ConnectionAccess
  heard: Heard
  assessment: Assessment
  result: { kind: string }
  startedAt: Date
  polledAt: Date
}

function report({ log, observe }: PollDeps, polled: Polled): void {
  const { tracked, access, heard, assessment, result, startedAt, polledAt } = polled
  const outcome = heard.kind === 'error' ? heard.error.kind : assessment.kind
  const latenessMs = Math.max(startedAt.getTime() - (tracked.nextPollAt?.getTime() ?? startedAt.getTime()), 0)
  const durationMs = polledAt.getTime() - startedAt.getTime()
  observe({ provider: access.provider.name, outcome, latenessMs, durationMs })
  log.info(
    {
      importId: tracked.id,
      connection: access.name,
      provider: access.provider.name,
      outcome,
      recorded: result.kind,
      state: stateAfter(assessment, tracked),
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

function stateAfter(assessment: Assessment, { state }: TrackedImport): string {
  if (assessment.kind === 'changed') return assessment.to
  if (assessment.kind === 'settled') return assessment.held.state
  return assessment.kind === 'lost' ? 'lost' : state
}
