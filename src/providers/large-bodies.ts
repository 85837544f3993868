// Owns how many large answers this process reads at once. It parses them one by one: together they would use up its
// memory and block all other work. Small answers pass freely.
import { setImmediate } from 'node:timers/promises'

/** An answer may grow to this size before it needs a turn. */
export const freeBytes = 512 * 1_024
/** How many large answers are read at once. */
const maxTurns = 3

/**
 * First come, first served, with one turn a vendor at a time. A vendor whose answers hang doesn't hold up the others.
 */
export interface LargeBodies {
  /** Returns the turn of one answer. The signal ends it, and the caller has to give it back. */
  turn(origin: string, signal: AbortSignal): Turn
}

export interface Turn {
  /** Resolves when the answer may grow large. Rejects with the signal's reason. */
  take(): Promise<void>
  /**
   * Returns the work's result. The work of a large answer waits for that of other large answers, and then leaves time
   * to the rest of the process.
   */
  work<Value>(compute: () => Value): Promise<Value>
  giveBack(): void
}

interface Waiting {
  origin: string
  begin(): void
}

export function createLargeBodies(): LargeBodies {
  const busy = new Set<string>() // origins
  const waiting: Waiting[] = []
  let free = Promise.resolve() // settles when no work runs

  return {
    turn(origin, signal) {
      let isHeld = false
      return {
        async take() {
          if (!isHeld) await next(origin, signal)
          isHeld = true
        },
        async work(compute) {
          return isHeld ? inPeace(compute, signal) : compute()
        },
        giveBack() {
          if (isHeld) busy.delete(origin)
          isHeld = false
          beginNext()
        },
      }
    },
  }

  function next(origin: string, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.reject(signal.reason)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const entry = { origin, begin }
    signal.addEventListener('abort', leave, { once: true })
    waiting.push(entry)
    beginNext()
    return promise

    function begin() {
      signal.removeEventListener('abort', leave)
      resolve()
    }
    function leave() {
      waiting.splice(waiting.indexOf(entry), 1)
      reject(signal.reason)
    }
  }

  function beginNext() {
    while (busy.size < maxTurns) {
      const at = waiting.findIndex(({ origin }) => !busy.has(origin))
      const [next] = at === -1 ? [] : waiting.splice(at, 1)
      if (!next) return
      busy.add(next.origin)
      next.begin()
    }
  }

  /** Runs the work alone, and then leaves the rest of the process as much time as the work took. */
  async function inPeace<Value>(compute: () => Value, signal: AbortSignal): Promise<Value> {
    const before = free
    const { promise, resolve } = Promise.withResolvers<void>()
    free = promise
    await before
    await setImmediate()
    const since = performance.now()
    try {
      signal.throwIfAborted()
      return compute()
    } finally {
      setTimeout(resolve, performance.now() - since)
    }
  }
}
