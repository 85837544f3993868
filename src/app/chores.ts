// Owns the chores: ticks that do their work themselves.
import { type KeepDeps, keepPartitions } from '../history/drop-months.ts'
import { rollUp } from '../reporting/daily-outcomes.ts'
import { deleteOld } from '../webhooks/prune.ts'
import type { TickDeps } from '../work/ticks.ts'

/** With a database whose statements may take long. */
export function createChores(deps: KeepDeps): TickDeps['chores'] {
  return {
    'roll-up': (signal, passed) => rollUp(deps, signal, passed),
    maintain: (signal) => maintain(deps, signal),
  }
}

/** Each of them, whatever becomes of the other. */
async function maintain(deps: KeepDeps, signal: AbortSignal): Promise<void> {
  try {
    await keepPartitions(deps, signal)
  } finally {
    await deleteOld(deps, signal)
  }
}
