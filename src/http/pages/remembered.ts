// Owns asking once for what many open pages show within seconds.
import type { Clock } from '../../base/clock.ts'

const rememberedForMs = 5_000

/** Returns a function that asks at most once in five seconds. A failure isn't remembered. */
export function remembered<Value>(clock: Clock, ask: () => Promise<Value>): () => Promise<Value> {
  let last: { at: number; answer: Promise<Value> } | null = null
  return () => {
    const now = clock.now().getTime()
    if (last !== null && Math.abs(now - last.at) < rememberedForMs) return last.answer
    const mine = { at: now, answer: ask() }
    last = mine
    mine.answer.catch(() => {
      if (last === mine) last = null
    })
    return mine.answer
  }
}
