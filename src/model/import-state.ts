// Owns the states of an import and which may follow which. The README's diagram is checked against `transitions`.

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
 * - `pending`: registered, nothing known yet.
 * - `queued`, `running`: what the provider said last.
 * - `succeeded`, `partial`, `failed`, `canceled`: over; the provider said so.
 * - `lost`: we can't know how it ended. It never claims a failure.
 * - `stopped`: somebody told us to stop asking.
 */
export type ImportState = (typeof states)[number]

/**
 * What somebody should look at. Of several that hold, an import shows the first of this list:
 * - `unmapped_status`: the provider says a status that nobody has mapped.
 * - `forbidden`: the provider refuses to tell about this import.
 * - `outcome_incomplete`: the provider says that the import is done, and lacks or contradicts what shows how it ended.
 * - `budget`: its connection's requests don't suffice to ask as often as it should be asked.
 * - `stalled`: its progress hasn't moved for a long time.
 * - `overdue`: it takes much longer than imports of its connection usually do.
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

/** What an import shows, of all that holds for it. */
export function firstAttention(holding: Iterable<Attention>): Attention | null {
  const held = new Set(holding)
  return attentions.find((attention) => held.has(attention)) ?? null
}

/** The event that an attention writes when an import comes to show it; null: it writes none. */
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
 * - `not_found`: the provider never knew the job, or three polls in a row say that it doesn't any more.
 * - `expired`: the provider has forgotten the job, as it does after a while.
 * - `unauthorized`: the deadline passed while the credentials were refused.
 * - `deadline`: the deadline passed; we stopped looking.
 * - `archived`: the provider archived the job before its outcome was seen.
 */
export type LostReason = (typeof lostReasons)[number]

const endsByProvider = ['succeeded', 'partial', 'failed', 'canceled'] as const
const ends = [...endsByProvider, 'lost', 'stopped'] as const

/**
 * The one table: from each state, the states that may follow. `pending` after an end is a resume, which has to be forced
 * where the provider said the end.
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

/** What a report makes of a state: it never goes back, and what the provider doesn't know changes nothing. */
export function stateAfter(
  from: ImportState,
  reported: ReportedState,
): { to: ImportState; lostReason: LostReason | null } {
  if (reported === 'archived') return { to: 'lost', lostReason: 'archived' }
  if (reported === 'unknown' || reported === 'unmapped') return { to: from, lostReason: null }
  return { to: canFollow(from, reported) ? reported : from, lostReason: null }
}

/** Whether tracking is over: nothing is due any more. */
export function isOver(state: ImportState): boolean {
  return (ends as readonly ImportState[]).includes(state)
}

/** Whether the end is the provider's word. */
export function endedByProvider(state: ImportState): boolean {
  return (endsByProvider as readonly ImportState[]).includes(state)
}

/** The states in which polls are due. */
export const liveStates = states.filter((state) => !isOver(state))

/** The event that a transition into this state writes. */
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

/** Written when `attention` becomes another one; the last two once in the life of an import. */
export type AttentionEventType = 'import.attention' | 'import.stalled' | 'import.overdue'

export type ImportEventType = (typeof importEventTypes)[number]
