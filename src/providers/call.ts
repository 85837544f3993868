// Owns how long a call may take: one signal combines its time limit with the caller's signal.
import { ProviderError } from './error.ts'

export interface Call {
  signal: AbortSignal
  /**
   * Settles as the promise does, or rejects as soon as the call is over. undici alone would wait for a connection
   * before it aborts.
   */
  unlessOver<Value>(promise: Promise<Value>): Promise<Value>
  /** Why the call is over before its time. Null: it isn't. */
  reason(): ProviderError | null
  end(): void
}

/** Starts a call. Its signal aborts at `totalMs`, or when `outer` does. */
export function startCall(outer: AbortSignal, totalMs: number): Call {
  const controller = new AbortController()
  let reason: ProviderError | null = null
  const over = Promise.withResolvers<never>()
  over.promise.catch(() => {}) // unlessOver or the body reports it
  const stop = (error: ProviderError) => {
    reason ??= error
    controller.abort(reason)
    over.reject(reason)
  }
  const abort = () => stop(new ProviderError('aborted', 'The call was aborted.'))
  const timer = setTimeout(
    () => stop(new ProviderError('timeout', `The provider's answer took longer than ${totalMs} ms.`)),
    totalMs,
  )
  outer.addEventListener('abort', abort, { once: true })
  if (outer.aborted) abort()
  return {
    signal: controller.signal,
    unlessOver: (promise) => Promise.race([promise, over.promise]),
    reason: () => reason,
    end() {
      clearTimeout(timer)
      outer.removeEventListener('abort', abort)
    },
  }
}
