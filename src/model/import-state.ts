// Owns the states of an import and the transitions between them. A test checks the diagram in
// docs/api.md against `transitions`.

import type { ReportedState } from './reported-state.ts'

export const states = [
  'pending',
  'queued',
  'running',
  'succeeded',
  'partial',
  'failed',
  'canceled',
  'lost',
  'stopped',
] as const

/**
 * - `pending`: registered; the provider has reported nothing yet.
 * - `queued`, `running`: the provider's last report.
 * - `succeeded`, `partial`, `failed`, `canceled`: over, as the provider reported.
 * - `lost`: over, and nobody can know how the import ended. It never claims a failure.
 * - `stopped`: a caller told us to stop polling.
 */
export type ImportState = (typeof states)[number]

/**
 * Why a person should look at an import. If several hold, the import shows the first of this list:
 * - `unmapped_status`: the provider reports a status that no mapping covers.
 * - `forbidden`: the provider refuses calls about this import.
 * - `outcome_incomplete`: the provider reports the import done, but the evidence of its outcome is missing or
 *   contradictory.
 * - `budget`: the connection's request budget is too small to poll the import as often as it should be polled.
 * - `stalled`: the import's progress hasn't moved for a long time.
 * - `overdue`: the import takes much longer than is usual for its connection.
 */
export const attentions = [
  'unmapped_status',
  'forbidden',
  'outcome_incomplete',
  'budget',
  'stalled',
  'overdue',
] as const

export type Attention = (typeof attentions)[number]

/** Returns the attention that an import shows, of all that hold for it. */
export function firstAttention(holding: Iterable<Attention>): Attention | null {
  const held = new Set(holding)
  return attentions.find((attention) => held.has(attention)) ?? null
}

/** Returns the event to write when an import comes to show this attention. Returns null if there is none to write. */
export function attentionEvent(
  shown: { attention: string | null; attentionsTold: readonly string[] },
  next: Attention | null,
): AttentionEventType | null {
  if (next === null || next === shown.attention) return null
  if (next !== 'stalled' && next !== 'overdue') return 'import.attention'
  return shown.attentionsTold.includes(next) ? null : `import.${next}`
}

export const lostReasons = ['not_found', 'expired', 'unauthorized', 'deadline', 'archived'] as const

/**
 * - `not_found`: the provider never knew the job, or three polls in a row said that it no longer does.
 * - `expired`: the provider has forgotten the job, as it does after a while.
 * - `unauthorized`: the deadline passed while the provider refused the credentials.
 * - `deadline`: the deadline passed, and polling stopped.
 * - `archived`: the provider archived the job before we saw its outcome.
 */
export type LostReason = (typeof lostReasons)[number]

const endsByProvider = ['succeeded', 'partial', 'failed', 'canceled'] as const
const ends = [...endsByProvider, 'lost', 'stopped'] as const

/**
 * From each state, the states that may follow. `pending` after an end is a resume. If the provider reported the end,
 * the resume has to be forced.
 */
export const transitions: Record<ImportState, readonly ImportState[]> = {
  pending: ['queued', 'running', ...ends],
  queued: ['running', ...ends],
  running: [...ends],
  succeeded: ['pending'],
  partial: ['pending'],
  failed: ['pending'],
  canceled: ['pending'],
  lost: ['pending'],
  stopped: ['pending'],
}

export function canFollow(from: ImportState, to: ImportState): boolean {
  return transitions[from].includes(to)
}

/** Returns the state after a report. A state never goes back, and `unknown` and `unmapped` leave it as it is. */
export function stateAfter(
  from: ImportState,
  reported: ReportedState,
): { to: ImportState; lostReason: LostReason | null } {
  if (reported === 'archived') return { to: 'lost', lostReason: 'archived' }
  if (reported === 'unknown' || reported === 'unmapped') return { to: from, lostReason: null }
  return { to: canFollow(from, reported) ? reported : from, lostReason: null }
}

/** Returns true if tracking is over and nothing is due any more. */
export function isOver(state: ImportState): boolean {
  return (ends as readonly ImportState[]).includes(state)
}

/** Returns true if the provider reported the end. */
export function endedByProvider(state: ImportState): boolean {
  return (endsByProvider as readonly ImportState[]).includes(state)
}

/** The states in which polls are due. */
export const liveStates = states.filter((state) => !isOver(state))

/** Returns the type of the event that a transition into this state writes. */
export function eventOf(state: ImportState): ImportEventType {
  return state === 'pending' ? 'import.resumed' : `import.${state}`
}

export const importEventTypes = [
  'import.queued',
  'import.running',
  'import.succeeded',
  'import.partial',
  'import.failed',
  'import.canceled',
  'import.lost',
  'import.stopped',
  'import.resumed',
  'import.rows_collected',
  'import.rows_incomplete',
  'import.attention',
  'import.stalled',
  'import.overdue',
] as const

/**
 * The types of events written when `attention` changes. `import.stalled` and `import.overdue` are written once in the
 * life of an import.
 */
export type AttentionEventType = 'import.attention' | 'import.stalled' | 'import.overdue'

export type ImportEventType = (typeof importEventTypes)[number]
