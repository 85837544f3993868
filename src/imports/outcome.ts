// Owns when the outcome of an import is final. If the provider calls an import done but the evidence is missing or
// contradictory, polling asks again for some minutes. Pure: polling/ asks again, record.ts stores.

import { storableJson } from '../base/storable-text.ts'
import type { StoredHeldOutcome, StoredPollError } from '../db/schema/index.ts'
import { canFollow, type ImportState, type LostReason, stateAfter } from '../model/import-state.ts'
import { tellsOutcome } from '../model/reported-state.ts'
import type { Report, StatusAnswer } from '../providers/contract.ts'

/** Polling asks for an incomplete outcome at least this often, … */
const minAsks = 5
/** … over at least this long, … */
const minHeldMs = 60_000
/** … and at most this long. */
export const maxHeldMs = 10 * 60_000

/** An outcome that only the rows tell is waited for this long. */
export const maxAwaitRowsMs = 60 * 60_000

/** The code of `lastError` for an incomplete outcome. */
const incompleteCode = 'outcome_incomplete'

export interface Verdict {
  to: ImportState
  lostReason: LostReason | null
  /** The outcome that polling asks for again. Null: there is none, or it is final. */
  held: StoredHeldOutcome | null
  /** The error that names the outcome's gap, now or for good. Null: there is none. */
  lastError: StoredPollError | null
}

/** The import's state before the answer. */
export interface Known {
  state: ImportState
  held: StoredHeldOutcome | null
  deadlineAt: Date
}

/** An answer, and why its summary is missing if one was requested. */
interface Told extends StatusAnswer {
  summaryError?: { body: string | null } | null
  /** Why not all rows are stored that tell the outcome. */
  rowsError?: StoredPollError | null
}

/** Returns what an answer means for an import. */
export function judge(known: Known, answer: Told, now: Date): Verdict {
  const { held } = known
  const reported = answer.report.state
  if (held !== null && reported === 'archived')
    return final(held.state, incomplete(answer, 'it shows no longer how the import ended.', now))
  if (held !== null && (reported === 'unknown' || reported === 'unmapped'))
    return hold(
      known,
      { ...held, asked: held.asked + 1 },
      incomplete(answer, 'it said before that the import is done.', now),
      now,
    )
  if (!tellsOutcome(reported)) return { ...stateAfter(known.state, reported), held: null, lastError: null }
  if (answer.missing === null && answer.awaitsRows) return awaitRows(known, reported, now)
  if (answer.missing === null) return final(reported, answer.rowsError ?? null)
  const lastError = incomplete(answer, answer.missing, now)
  // A failure is recorded at once: missing evidence can't turn it into a success.
  if (reported !== 'succeeded' && reported !== 'partial') return final(reported, lastError)
  if (held === null) {
    const since = now.toISOString()
    return hold(known, { state: reported, since, asked: 0, hasDetails: answer.details !== null }, lastError, now)
  }
  // The provider has reported failed rows. Only a complete answer revokes that.
  const state = held.state === 'partial' ? held.state : reported
  const hasDetails = held.hasDetails || answer.details !== null
  return hold(known, { ...held, state, asked: held.asked + 1, hasDetails }, lastError, now)
}

/** Returns true if polling has asked long enough, or may not ask any longer. */
export function isExhausted({ asked, since, awaitsRows }: StoredHeldOutcome, deadlineAt: Date, now: Date): boolean {
  const heldMs = now.getTime() - Date.parse(since)
  if (awaitsRows) return heldMs >= maxAwaitRowsMs || now >= deadlineAt
  return (asked >= minAsks && heldMs >= minHeldMs) || (asked > 0 && heldMs >= maxHeldMs) || now >= deadlineAt
}

/** Returns the error of an incomplete outcome that no answer explains. */
export function heldError(message: string, now: Date): StoredPollError {
  const text = `The provider said that the import is done, but what shows how it ended could not be had. ${message}`
  return storableJson({ code: incompleteCode, message: text, at: now.toISOString() }) as StoredPollError
}

/** Returns the report to show beside a final state: finished work has full progress. */
export function reportAt(to: ImportState, report: Report): Report {
  return to === 'succeeded' || to === 'partial' ? { ...report, progress: 1 } : report
}

/** The import goes on until its rows are read. Then they refine the report, or the time is over. */
function awaitRows(known: Known, reported: ImportState, now: Date): Verdict {
  if (reported !== 'succeeded' && reported !== 'partial') return final(reported, null)
  const { held } = known
  const since = held?.awaitsRows ? held.since : now.toISOString()
  const asked = held?.awaitsRows ? held.asked + 1 : 0
  return hold(known, { state: reported, since, asked, hasDetails: true, awaitsRows: true }, null, now)
}

function final(to: ImportState, lastError: StoredPollError | null): Verdict {
  return { to, lostReason: null, held: null, lastError }
}

function hold(known: Known, held: StoredHeldOutcome, lastError: StoredPollError | null, now: Date): Verdict {
  if (isExhausted(held, known.deadlineAt, now))
    return final(held.state, lastError ?? heldError('Its rows were not read in time.', now))
  const to = canFollow(known.state, 'running') ? 'running' : known.state
  return { to, lostReason: null, held, lastError }
}

function incomplete({ report, summaryError }: Told, missing: string, now: Date): StoredPollError {
  const message = `The provider says ${report.providerStatus}, but its answer isn't whole: ${missing}`
  const stored = {
    code: incompleteCode,
    message,
    at: now.toISOString(),
    ...(summaryError?.body != null && { body: summaryError.body }),
  }
  return storableJson(stored) as StoredPollError
}
