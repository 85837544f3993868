// Owns the chores: work that ticks do themselves.
import { deleteOldActions } from '../actions/prune.ts'
import { type KeepDeps, keepPartitions } from '../history/drop-months.ts'
import { rollUp } from '../reporting/daily-outcomes.ts'
import { deleteOld } from '../webhooks/prune.ts'
import type { TickDeps } from '../work/ticks.ts'

/** @param deps with a database whose statements may take long. */
export function createChores(deps: KeepDeps): TickDeps['chores'] {
  return {
    'roll-up': (signal, passed) => rollUp(deps, signal, passed),
    maintain: (signal) => maintain(deps, signal),
  }
}

/** Does all parts, even if one fails. */
async function maintain(deps: KeepDeps, signal: AbortSignal): Promise<void> {
  const parts = [keepPartitions, deleteOld, deleteOldActions]
  const failures: unknown[] = []
  for (const part of parts) {
    try {
      await part(deps, signal)
    } catch (error) {
      failures.push(error)
    }
  }
  if (failures.length > 0) throw failures[0]
}
