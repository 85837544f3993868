// Owns throttling warnings that repeat: while a store is unreachable, its clients fail many times a second.
import type { Clock } from './clock.ts'
import type { Log } from './log.ts'

/** How often the same message is logged at most. */
const everyMs = 30_000

/**
 * Returns a function that logs warnings. It logs the first warning of a message at once, and then at most one each 30
 * s. `repeated` counts the warnings kept back since the last logged one.
 */
export function createLogThrottle({ log, clock }: { log: Log; clock: Clock }): (message: string, error: Error) => void {
  const said = new Map<string, { at: number; keptBack: number }>()
  return (message, error) => {
    const now = clock.now().getTime()
    const last = said.get(message)
    if (last && now - last.at < everyMs) {
      last.keptBack++
      return
    }
    said.set(message, { at: now, keptBack: 0 })
    log.warn({ err: error, ...(last && last.keptBack > 0 && { repeated: last.keptBack }) }, message)
  }
}
