// Owns the chores: work that ticks do themselves.
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

/** Does both parts, even if one fails. */
async function maintain(deps: KeepDeps, signal: AbortSignal): Promise<void> {
  try {
    await keepPartitions(deps, signal)
  } finally {
    await deleteOld(deps, signal)
  }
}
