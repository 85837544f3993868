// Owns what an answer means for an import. Pure: from the import's state and the answer it works out what to record.
// interval.ts owns the time of the next poll, imports/ storing, and connections/ what an answer means for the whole
// connection.
import type { Baseline } from '../baselines/baseline.ts'
import { trackProgress } from '../baselines/progress.ts'
import { backOff, type IntervalLimits, type NextPoll } from '../connections/backoff.ts'
import type { MovingFields, StoredHeldOutcome, StoredPollError } from '../db/schema/index.ts'
import { fingerprintOf, saysTheSame } from '../imports/fingerprint.ts'
import type { Foreseen } from '../imports/observation.ts'
import { heldError, isExhausted, judge } from '../imports/outcome.ts'
import { storedError } from '../imports/stored-error.ts'
import type { TrackedImport } from '../imports/tracked.ts'
import {
  type Attention,
  type AttentionEventType,
  attentionEvent,
  endedByProvider,
  firstAttention,
  type ImportState,
  isOver,
  type LostReason,
} from '../model/import-state.ts'
import { tellsOutcome } from '../model/reported-state.ts'
import type { AskedStatus } from '../providers/ask.ts'
import type { ProviderError } from '../providers/client.ts'
import type { Provider } from '../providers/contract.ts'
import { clockAheadMs, withTimesThatCanBe } from '../providers/times.ts'
import { type DuePoll, dueOf, type Share } from './due.ts'
import { nextPoll, within } from './interval.ts'
import { confirmWithinMs, isConfirmed, type NotFound, oneMore } from './not-found.ts'
import { foresee, type Outlook } from './outlook.ts'
import { beganAt, type Span, spanOf } from './span.ts'

/** An incomplete outcome is asked for again within this time, unless the connection doesn't allow it. */
const askWithinMs = 120_000
const noNotFounds = { notFounds: 0, notFoundSince: null }

export type Heard = { kind: 'answer'; answer: AskedStatus } | { kind: 'error'; error: ProviderError }

/** The connection that was asked: its limits and its provider. */
export interface Asked {
  limits: IntervalLimits
  provider: Pick<Provider, 'forgetsJobs' | 'outcomeOfRows'>
  /** JSON Pointers of fields whose changes in a body don't count. */
  volatileFields: readonly string[]
  /** By which factor the budget makes gaps longer. Absent: it leaves enough. */
  stretch?: number
  /** What is known of imports of this kind. */
  baseline: Baseline
}

export type Assessment =
  /** The same report again, or a failed poll. Only the counters and the next due time change. */
  | {
      kind: 'unchanged'
      sameReport: boolean
      attention: Attention | null
      /** The event that the attention writes, if the import comes to show it by this poll. */
      attentionEvent: AttentionEventType | null
      failures: number
      notFounds: number
      notFoundSince: Date | null
      heldOutcome: StoredHeldOutcome | null
      lastError: StoredPollError | null
      next: DuePoll
      foreseen: Foreseen | null
    }
  /** A report that differs from the last one. */
  | {
      kind: 'changed'
      answer: AskedStatus
      fingerprint: string
      /** True: the report differs in its body alone. */
      bodyOnly: boolean
      movingFields: MovingFields | null
      clockAheadMs: number
      to: ImportState
      lostReason: LostReason | null
      attention: Attention | null
      attentionEvent: AttentionEventType | null
      heldOutcome: StoredHeldOutcome | null
      lastError: StoredPollError | null
      hadDetails: boolean
      /** Whether its rows are collected before it is over, from this report on or from an earlier one on. */
      awaitsRows: 'from_now' | 'already' | null
      progressChanges: [number, number][]
      /** Null: the import is over. */
      next: DuePoll | null
      /** Null: the import is over. */
      foreseen: Foreseen | null
      /** How long it ran. Null: it isn't over, or nobody can know. */
      span: Span | null
    }
  /** The import ends with a held outcome, because the provider can no longer show it completely. */
  | { kind: 'settled'; held: StoredHeldOutcome; lastError: StoredPollError; span: Span | null }
  | { kind: 'lost'; reason: LostReason; lastError: StoredPollError | null }

export function assess(tracked: TrackedImport, asked: Asked, heard: Heard, now: Date): Assessment {
  return heard.kind === 'answer'
    ? assessAnswer(tracked, asked, heard.answer, now)
    : assessError(tracked, asked, heard.error, now)
}

function assessAnswer(tracked: TrackedImport, asked: Asked, given: AskedStatus, now: Date): Assessment {
  const possible = { ...given, report: withTimesThatCanBe(given.report, given.date ?? now) }
  const answer = withRows(tracked, asked, possible, now)
  const { report } = answer
  const heardAt = { clockAheadMs: clockAheadMs(given.date, now), now }
  const from = tracked.state as ImportState
  const known = { state: from, held: tracked.heldOutcome, deadlineAt: tracked.deadlineAt }
  const { to, lostReason, held, lastError } = judge(known, answer, now)
  if (!isOver(to) && now >= tracked.deadlineAt) return { kind: 'lost', reason: 'deadline', lastError: null }
  if (tracked.heldOutcome && lastError && isOver(to) && !tellsOutcome(report.state))
    return { kind: 'settled', held: tracked.heldOutcome, lastError, span: spanOf(tracked, report, heardAt) }

  const isAwaiting = tracked.heldOutcome?.awaitsRows ?? false
  const awaitsRows = isAwaiting ? 'already' : held?.awaitsRows ? 'from_now' : null
  const { movingFields } = tracked
  const fingerprint = fingerprintOf(report, leftOut(asked, movingFields))
  const progressChanges = trackProgress(tracked.progressChanges, now.getTime(), report.progress)
  const startedAt = beganAt(tracked, report, heardAt).getTime()
  const wanted = held
    ? nextAsk(tracked, asked, held, retryAfterOf(answer))
    : nextAfterAnswer(tracked, asked, answer, progressChanges, { startedAt, now })
  const { stalled } = wanted
  const outlook = isOver(to)
    ? null
    : foresee(asked.baseline, { startedAt, now: now.getTime(), progressChanges, stalled })
  const next = outlook && dueOf(wanted, shareOf(tracked, held ? 1 : stretchOf(asked), outlook, now))
  const attention = firstAttention([
    ...(report.state === 'unmapped' ? ['unmapped_status' as const] : []),
    ...(held !== null && !held.awaitsRows ? ['outcome_incomplete' as const] : []),
    ...(next !== null && waitsForShare(tracked, asked, next) ? ['budget' as const] : []),
    ...(next?.stalled ? ['stalled' as const] : []),
    ...(isOverdue(outlook, now) ? ['overdue' as const] : []),
  ])
  const shown = {
    attention,
    attentionEvent: attentionEvent(tracked, attention),
    heldOutcome: held,
    lastError: lastError ?? pollUrlError(answer, now),
  }
  // After a resume the provider repeats its last report. That must count as a change, or the import would stay pending.
  if (next !== null && to === from && fingerprint === tracked.fingerprint && awaitsRows !== 'from_now')
    return { kind: 'unchanged', sameReport: true, ...shown, failures: 0, ...noNotFounds, next, foreseen: outlook }
  const bodyOnly = next !== null && to === from && saysTheSame(tracked.fingerprint, fingerprint)
  const heard = { answer, fingerprint, bodyOnly, movingFields, clockAheadMs: heardAt.clockAheadMs }
  const span = endedByProvider(to) ? spanOf(tracked, report, heardAt) : null
  const hadDetails = tracked.heldOutcome?.hasDetails ?? false
  return {
    kind: 'changed',
    ...heard,
    hadDetails,
    awaitsRows,
    to,
    lostReason,
    ...shown,
    progressChanges,
    next,
    foreseen: outlook,
    span,
  }
}

function pollUrlError({ pollUrlProblem }: AskedStatus, now: Date): StoredPollError | null {
  return pollUrlProblem ? { code: 'invalid_response', message: pollUrlProblem, at: now.toISOString() } : null
}

/**
 * Refines a report that awaits its rows, once they are read or may be awaited no longer. Some of the rows don't tell how all of them went: then what
 * the provider reported stays, but for a success that a failed row disproves.
 */
function withRows(
  { rowsRead, heldOutcome, deadlineAt }: TrackedImport,
  { provider }: Asked,
  answer: AskedStatus,
  now: Date,
) {
  if (!rowsRead || !answer.awaitsRows || !provider.outcomeOfRows) return { ...answer, rowsError: null }
  const isWaiting = rowsRead.goesOn && heldOutcome !== null && !isExhausted(heldOutcome, deadlineAt, now)
  if (isWaiting) return { ...answer, rowsError: null }
  const { failed } = rowsRead
  const error = rowsRead.error ?? (rowsRead.goesOn ? heldError('Its rows were not read in time.', now) : null)
  const { report } = answer
  const reported = report.state === 'succeeded' && failed > 0 ? { ...report, state: 'partial' as const } : report
  const told = error === null ? provider.outcomeOfRows(report, rowsRead) : reported
  return { ...answer, awaitsRows: false, report: told, rowsError: error }
}

/** Returns the assessment with these moving fields left out of the fingerprint. */
export function withMovingFields(
  assessment: Extract<Assessment, { kind: 'changed' }>,
  volatileFields: readonly string[],
  movingFields: MovingFields | null,
): Assessment {
  const fingerprint = fingerprintOf(assessment.answer.report, leftOut({ volatileFields }, movingFields))
  return { ...assessment, movingFields, fingerprint }
}

function leftOut({ volatileFields }: Pick<Asked, 'volatileFields'>, movingFields: MovingFields | null) {
  return { volatileFields: [...volatileFields, ...(movingFields?.leftOut ?? [])] }
}

function nextAfterAnswer(
  tracked: TrackedImport,
  { limits, baseline }: Asked,
  { report, retryAfterMs }: AskedStatus,
  progressChanges: [number, number][],
  { startedAt, now }: { startedAt: number; now: Date },
): NextPoll {
  return nextPoll({
    importId: tracked.id,
    now: now.getTime(),
    startedAt,
    progressChanges,
    unmapped: report.state === 'unmapped',
    limits,
    baseline,
    retryAfterMs,
  })
}

/** Returns the longer wait of the status and its summary. */
function retryAfterOf({ retryAfterMs, summaryError }: AskedStatus): number | null {
  const waits = [retryAfterMs, summaryError?.retryAfterMs ?? null].filter((ms) => ms !== null)
  return waits.length > 0 ? Math.max(...waits) : null
}

/** Returns the wait before polling asks for an incomplete outcome again: the connection's back-off. */
function nextAsk(
  { id }: TrackedImport,
  { limits }: Asked,
  { asked }: StoredHeldOutcome,
  retryAfterMs: number | null,
): NextPoll {
  return backOff({ importId: id, failures: asked + 1, retryAfterMs, limits: within(askWithinMs, limits) })
}

function assessError(tracked: TrackedImport, asked: Asked, error: ProviderError, now: Date): Assessment {
  const lastError = storedError(error, now)
  const notFound = error.kind === 'not_found' ? oneMore(tracked, now) : null
  const isGone = notFound !== null && isConfirmed(notFound, tracked, now)
  const held = tracked.heldOutcome && { ...tracked.heldOutcome, asked: tracked.heldOutcome.asked + 1 }
  if (held !== null && (isGone || isExhausted(held, tracked.deadlineAt, now)))
    return { kind: 'settled', held, lastError: heldError(error.message, now), span: heldSpan(tracked, now) }
  if (isGone) return { kind: 'lost', reason: hasExpired(tracked, asked, now) ? 'expired' : 'not_found', lastError }
  if (now >= tracked.deadlineAt)
    return { kind: 'lost', reason: error.kind === 'unauthorized' ? 'unauthorized' : 'deadline', lastError }

  const startedAt = beganAt(tracked, { startedAt: null, createdAt: null }, { clockAheadMs: 0, now }).getTime()
  const { progressChanges } = tracked
  const stalled = tracked.attention === 'stalled'
  const outlook = foresee(asked.baseline, { startedAt, now: now.getTime(), progressChanges, stalled })
  // Any other failed poll says nothing about the import, so its attention stays.
  const shown = tracked.attention as Attention | null
  const attention = firstAttention([
    ...(shown === null ? [] : [shown]),
    ...(error.kind === 'forbidden' ? ['forbidden' as const] : []),
    ...(isOverdue(outlook, now) ? ['overdue' as const] : []),
  ])
  return {
    kind: 'unchanged',
    sameReport: false,
    attention,
    attentionEvent: attentionEvent(tracked, attention),
    failures: tracked.failures + 1,
    notFounds: notFound?.polls ?? 0,
    notFoundSince: notFound?.since ?? null,
    heldOutcome: held,
    lastError,
    next: nextAfterError(tracked, asked, error, { notFound, held, outlook, now }),
    foreseen: outlook,
  }
}

function nextAfterError(
  tracked: TrackedImport,
  asked: Asked,
  { retryAfterMs }: ProviderError,
  {
    notFound,
    held,
    outlook,
    now,
  }: { notFound: NotFound | null; held: StoredHeldOutcome | null; outlook: Outlook; now: Date },
): DuePoll {
  const failed = { importId: tracked.id, failures: tracked.failures + 1, retryAfterMs, limits: asked.limits }
  const share = (stretch: number) => shareOf(tracked, stretch, outlook, now)
  // A 404 should be confirmed soon, and the provider isn't in trouble.
  const soon = notFound && { ...failed, failures: notFound.polls, limits: within(confirmWithinMs, asked.limits) }
  if (soon) return dueOf(backOff(soon), share(1))
  if (held) return dueOf(nextAsk(tracked, asked, held, retryAfterMs), share(1))
  return dueOf(backOff(failed), share(stretchOf(asked)))
}

/** The deadline and the time from which an import is overdue are noticed on time, however scarce the budget is. */
function shareOf({ deadlineAt }: TrackedImport, stretch: number, { endsInMs, overdueAt }: Outlook, now: Date): Share {
  const looks = [deadlineAt, ...(overdueAt === null ? [] : [overdueAt])]
  return { stretch, endsInMs, lookInMs: looks.map((at) => at.getTime() - now.getTime()) }
}

function isOverdue(outlook: Outlook | null, now: Date): boolean {
  return outlook !== null && outlook.overdueAt !== null && outlook.overdueAt <= now
}

function stretchOf({ stretch = 1 }: Asked): number {
  return stretch
}

/** A share is told that makes gaps so much longer, by at least so many milliseconds. */
const toldFrom = { stretch: 1.25, ms: 1_000 }

/**
 * Returns true if the import is asked about less often than wanted, because the budget has to do for others, too. What is
 * shown stays until nothing is stretched any more, so that an import near the bound doesn't come and go.
 */
function waitsForShare({ attention }: TrackedImport, asked: Asked, { delayMs, wantedMs }: DuePoll): boolean {
  const stretch = stretchOf(asked)
  return attention === 'budget' ? stretch > 1 : stretch > toldFrom.stretch && delayMs - wantedMs >= toldFrom.ms
}

/** No answer tells any times, but an earlier one told that the import was over. */
function heldSpan(tracked: TrackedImport, now: Date): Span | null {
  return spanOf(tracked, { startedAt: null, createdAt: null, finishedAt: null }, { clockAheadMs: 0, now })
}

function hasExpired({ fingerprint, providerExpiresAt }: TrackedImport, { provider }: Asked, now: Date): boolean {
  return provider.forgetsJobs && (fingerprint !== null || (providerExpiresAt !== null && now >= providerExpiresAt))
}
