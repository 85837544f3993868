// Owns how many large answers are read at once in this process, and that they are parsed one by one: together they would
// take all of its memory, and hold up everybody else for as long as it takes to parse them. Small ones pass.
import { setImmediate } from 'node:timers/promises'

/** An answer may grow to this before it needs a turn. */
export const freeBytes = 512 * 1_024
/** Large answers at once. */
const maxTurns = 3

/** First come, first served, but that each vendor has one turn at a time: where its answers hang, others' go on. */
export interface LargeBodies {
  /** For one answer. It is over with the signal, and has to be given back. */
  turn(origin: string, signal: AbortSignal): Turn
}

export interface Turn {
  /** Settles when the answer may be large. Rejects with the signal's reason. */
  take(): Promise<void>
  /** What the work gives; that of a large answer has to wait for others' work, and for what else the process has to do. */
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
  let free = Promise.resolve() // settles when nobody works

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

  /** Afterwards, everybody else has as much time as it took. */
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
