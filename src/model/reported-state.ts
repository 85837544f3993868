// Owns what a report can say of an import, and which of it is the end.

/**
 * What a report says of an import, in our words.
 * - `archived`: the job is over, but its outcome can't be told any more.
 * - `unknown`: the provider says that it doesn't know; the state stays what it was.
 * - `unmapped`: a status that no published document names; the state stays, and the import shows it.
 */
export type ReportedState =
  | 'queued'
  | 'running'
  | 'succeeded'
  | 'partial'
  | 'failed'
  | 'canceled'
  | 'archived'
  | 'unknown'
  | 'unmapped'

const over: ReadonlySet<ReportedState> = new Set(['succeeded', 'partial', 'failed', 'canceled', 'archived'])

/** Whether it says how the import ended. */
export function tellsOutcome(state: ReportedState): state is 'succeeded' | 'partial' | 'failed' | 'canceled' {
  return isTerminal(state) && state !== 'archived'
}

/** Whether the provider will say nothing new after this. Successful is another question. */
export function isTerminal(state: ReportedState): boolean {
  return over.has(state)
}
