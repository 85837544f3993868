// Owns how long a call may take: one signal for its time limit and for whoever asked.
import { ProviderError } from './error.ts'

export interface Call {
  signal: AbortSignal
  /** The promise, or the reason as soon as the call is over: undici itself waits for a connection to abort on. */
  unlessOver<Value>(promise: Promise<Value>): Promise<Value>
  /** Why the call is over before its time, if it is. */
  reason(): ProviderError | null
  end(): void
}

/** The whole call's time limit and the caller's signal as one. */
export function startCall(outer: AbortSignal, totalMs: number): Call {
  const controller = new AbortController()
  let reason: ProviderError | null = null
  const over = Promise.withResolvers<never>()
  over.promise.catch(() => {}) // it is told by unlessOver, or by the body
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
