// Owns complaining of what goes on failing: while a store is away, its clients fail many times a second.
import type { Clock } from './clock.ts'
import type { Log } from './log.ts'

/** How often the same is said at the most. */
const everyMs = 30_000

/**
 * Logs warnings: the first one of a message at once, and from then on at most one each 30 s, with how many were kept
 * back since the one before (`repeated`).
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
