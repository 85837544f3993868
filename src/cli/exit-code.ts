// Owns what the status of a command tells scripts.
import type { Import } from '../../packages/client/src/index.ts'
import { isOver } from '../model/import-state.ts'

type State = Import['state']

/**
 * - `failure`: the service refused, or gave no answer.
 * - `usage`: the command itself is wrong.
 * - `notSignedIn`: there is no token, or the service doesn't accept it.
 * - `timedOut`: an import was live, or the service silent, when the time of `--timeout` was over. The same as timeout(1).
 * - `interrupted`: Ctrl-C.
 */
export const exitCodes = { failure: 1, usage: 2, notSignedIn: 8, timedOut: 124, interrupted: 130 } as const

/** In the order of precedence: of several imports, the first of these states that occurs decides. */
const byEnd: readonly (readonly [State, number])[] = [
  ['failed', 4],
  ['lost', 6],
  ['canceled', 5],
  ['partial', 3],
  ['stopped', 7],
  ['succeeded', 0],
]

/** Returns the status of having watched imports in these states. A live one means that the time was over. */
export function exitCodeOf(states: readonly State[]): number {
  if (states.some((state) => !isOver(state))) return exitCodes.timedOut
  return byEnd.find(([state]) => states.includes(state))?.[1] ?? exitCodes.failure
}
