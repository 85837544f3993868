// Owns the states that a report can give an import, and which of them are final.

/**
 * The state that a report gives an import, in our words.
 * - `archived`: the job is over, but the provider can no longer tell its outcome.
 * - `unknown`: the provider says that it doesn't know. The import keeps its state.
 * - `unmapped`: a status that no published document names. The import keeps its state and shows the attention.
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

/** Returns true if the state says how the import ended. */
export function tellsOutcome(state: ReportedState): state is 'succeeded' | 'partial' | 'failed' | 'canceled' {
  return isTerminal(state) && state !== 'archived'
}

/** Returns true if the provider has nothing new to say after this state, successful or not. */
export function isTerminal(state: ReportedState): boolean {
  return over.has(state)
}
