// Owns when the passes of a loop run: one at a time, and another follows if something comes up meanwhile.

/** All times are the process's uptime, in milliseconds. */
export interface LoopOptions {
  pass(): Promise<void>
  /** When the next pass is due by itself. Infinity: when something comes up. */
  nextAt(): number
  /** Told of a pass that failed. It is tried again. */
  failed(error: Error): void
  /** The wait between two passes, at least. */
  restMs: number
  /** The wait before a failed pass is tried again. */
  retryMs: number
  uptime(): number
}

/** Returns a function that asks for a pass soon. */
export function createLoop({ pass, nextAt, failed, restMs, retryMs, uptime }: LoopOptions): () => void {
  let passing = false
  let passedAt = Number.NEGATIVE_INFINITY
  let timer: NodeJS.Timeout | undefined
  let timerAt = Number.POSITIVE_INFINITY

  function passAt(at: number): void {
    if (passing || at >= timerAt) return
    clearTimeout(timer)
    timerAt = at
    timer = setTimeout(() => void passNow(), Math.max(0, at - uptime()))
  }

  async function passNow(): Promise<void> {
    timerAt = Number.POSITIVE_INFINITY
    passing = true
    const isDone = await pass().then(
      () => true,
      (error: Error) => {
        failed(error)
        return false
      },
    )
    passing = false
    passedAt = uptime()
    passAt(isDone ? Math.max(nextAt(), passedAt + restMs) : passedAt + retryMs)
  }

  return () => passAt(passedAt + restMs)
}
