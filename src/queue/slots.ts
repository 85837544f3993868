// Owns giving a worker's slot to the next job while one only waits: a slot is for work.
import { setTimeout as delay } from 'node:timers/promises'

export interface SlotLimits {
  /** How long a job keeps its slot; what isn't done by then goes on without it. */
  keptMs: number
  /** How many may go on without one. The others keep theirs. */
  maxWithout: number
}

export interface Slots {
  /** Settles when the slot is free: the work is done, or goes on without it. Rejects where the work did by then. */
  hold(work: Promise<void>): Promise<void>
  /** When nothing goes on without a slot any more. */
  ended(): Promise<void>
}

/** @param options.onError is told of work that fails without its slot, since no job fails then. */
export function createSlots({ keptMs, maxWithout, onError }: SlotLimits & { onError(error: Error): void }): Slots {
  const without = new Set<Promise<void>>()
  return {
    async hold(work) {
      const waiting = new AbortController()
      const isDone = await Promise.race([
        work.then(() => true),
        delay(keptMs, false, { signal: waiting.signal, ref: false }).catch(() => true),
      ]).finally(() => waiting.abort())
      if (isDone || without.size >= maxWithout) return work
      const goingOn = work.catch(onError).finally(() => without.delete(goingOn))
      without.add(goingOn)
    },
    async ended() {
      while (without.size > 0) await Promise.all(without)
    },
  }
}
