// Owns what an answer means for an import: a pure function from what was known and what was heard to what is recorded.
// When to ask next is interval.ts's; storing is imports/'s; what it means for the whole connection is connections/'s.
import type { StoredPollError } from '../db/schema/index.ts'
import { fingerprintOf } from '../imports/fingerprint.ts'
import {
  type Attention,
  type AttentionEventType,
  attentionEvent,
  firstAttention,
  type ImportState,
  isOver,
  type LostReason,
  stateAfter,
} from '../imports/state.ts'
import type { TrackedImport } from '../imports/tracked.ts'
import type { AskedStatus } from '../providers/ask.ts'
import type { ProviderError } from '../providers/client.ts'
import type { Provider } from '../providers/contract.ts'
import { storableJson } from '../storable.ts'
import { backOff, type IntervalLimits, type NextPoll, nextPoll, notBefore, trackProgress } from './interval.ts'

/** This many polls in a row must say 404 before an import that was seen before counts as gone. */
const confirmingNotFounds = 3

export type Heard = { kind: 'answer'; answer: AskedStatus } | { kind: 'error'; error: ProviderError }

/** Whom it was heard from: what holds for the connection, and what its provider is like. */
export interface Asked {
  limits: IntervalLimits
  provider: Pick<Provider, 'forgetsJobs' | 'volatileFields'>
}

export type Assessment =
  /** The same report again, or a failed poll: nothing is written but when and what next. */
  | {
      kind: 'unchanged'
      sameReport: boolean
      attention: Attention | null
      /** What the attention writes, where the import comes to show it by this poll. */
      attentionEvent: AttentionEventType | null
      pollFailures: number
      notFoundPolls: number
      lastError: StoredPollError | null
      next: NextPoll
    }
  /** A report that differs from the last one. */
  | {
      kind: 'changed'
      answer: AskedStatus
      fingerprint: string
      to: ImportState
      lostReason: LostReason | null
      attention: Attention | null
      attentionEvent: AttentionEventType | null
      progressChanges: [number, number][]
      /** Null: the import is over. */
      next: NextPoll | null
    }
  | { kind: 'lost'; reason: LostReason; lastError: StoredPollError | null }

export function assess(tracked: TrackedImport, asked: Asked, heard: Heard, now: Date): Assessment {
  return heard.kind === 'answer'
    ? assessAnswer(tracked, asked, heard.answer, now)
    : assessError(tracked, asked, heard.error, now)
}

function assessAnswer(tracked: TrackedImport, asked: Asked, answer: AskedStatus, now: Date): Assessment {
  const { report } = answer
  const from = tracked.state as ImportState
  const { to, lostReason } = stateAfter(from, report.state)
  if (!isOver(to) && now >= tracked.deadlineAt) return { kind: 'lost', reason: 'deadline', lastError: null }

  const fingerprint = fingerprintOf(report, asked.provider)
  const progressChanges = trackProgress(tracked.progressChanges, now.getTime(), report.progress)
  const next = isOver(to) ? null : nextAfterAnswer(tracked, asked, answer, progressChanges, now)
  const attention = firstAttention([
    ...(report.state === 'unmapped' ? ['unmapped_status' as const] : []),
    ...(next?.stalled ? ['stalled' as const] : []),
  ])
  const shown = { attention, attentionEvent: attentionEvent(tracked, attention) }
  // A resumed import hears the report that it heard last, and is running again by it.
  if (next !== null && to === from && fingerprint === tracked.fingerprint)
    return { kind: 'unchanged', sameReport: true, ...shown, pollFailures: 0, notFoundPolls: 0, lastError: null, next }
  return { kind: 'changed', answer, fingerprint, to, lostReason, ...shown, progressChanges, next }
}

function nextAfterAnswer(
  { id, registeredAt, providerStartedAt, providerCreatedAt }: TrackedImport,
  { limits }: Asked,
  { report, retryAfterMs }: AskedStatus,
  progressChanges: [number, number][],
  now: Date,
): NextPoll {
  const startedAt = report.startedAt ?? providerStartedAt ?? report.createdAt ?? providerCreatedAt ?? registeredAt
  const unmapped = report.state === 'unmapped'
  const outlook = {
    importId: id,
    now: now.getTime(),
    startedAt: startedAt.getTime(),
    progressChanges,
    unmapped,
    limits,
  }
  return notBefore(retryAfterMs, nextPoll(outlook), id)
}

function assessError(tracked: TrackedImport, { limits, provider }: Asked, error: ProviderError, now: Date): Assessment {
  const lastError = storedError(error, now)
  const notFoundPolls = error.kind === 'not_found' ? tracked.notFoundPolls + 1 : 0
  if (error.kind === 'not_found') {
    const seen = tracked.fingerprint !== null
    const expired =
      provider.forgetsJobs && (seen || (tracked.providerExpiresAt !== null && now >= tracked.providerExpiresAt))
    if (!seen || notFoundPolls >= confirmingNotFounds)
      return { kind: 'lost', reason: expired ? 'expired' : 'not_found', lastError }
  }
  if (now >= tracked.deadlineAt)
    return { kind: 'lost', reason: error.kind === 'unauthorized' ? 'unauthorized' : 'deadline', lastError }

  // A failed poll says nothing about the import: what it shows still holds.
  const attention = tracked.attention as Attention | null
  const failures = tracked.pollFailures + 1
  // A 404 is confirmed soon; the provider isn't in trouble.
  const next = backOff({
    importId: tracked.id,
    failures: notFoundPolls > 0 ? 1 : failures,
    retryAfterMs: error.retryAfterMs,
    limits,
  })
  return {
    kind: 'unchanged',
    sameReport: false,
    attention,
    attentionEvent: attentionEvent(tracked, attention),
    pollFailures: failures,
    notFoundPolls,
    lastError,
    next,
  }
}

function storedError(error: ProviderError, now: Date): StoredPollError {
  const stored = {
    code: error.kind,
    message: error.message,
    at: now.toISOString(),
    ...(error.body !== null && { body: error.body }),
  }
  return storableJson(stored) as StoredPollError
}
