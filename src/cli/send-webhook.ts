// Owns sending a webhook from this machine: signed as the service signs, once.
import type { Clock } from '../base/clock.ts'
import { constantHeaders, signatureHeaders } from '../webhooks/signing.ts'

export interface Sender {
  clock: Clock
  /** The receiver's URL. */
  to: string
  /** What it verifies with, `whsec_…`. */
  secret: string
}

export interface Answer {
  isOk: boolean
  /** The status and how long it took, or why there was none. */
  text: string
}

const limitMs = 15_000

/** Sends the body. Whatever the receiver does is an answer. */
export async function sendWebhook(
  { clock, to, secret }: Sender,
  { id, body }: { id: string; body: string },
  signal?: AbortSignal,
): Promise<Answer> {
  const beganAt = performance.now()
  const limit = AbortSignal.timeout(limitMs)
  try {
    const response = await fetch(to, {
      method: 'POST',
      headers: { ...constantHeaders, ...signatureHeaders({ id, at: clock.now(), body }, [secret]) },
      body,
      redirect: 'manual',
      signal: signal ? AbortSignal.any([limit, signal]) : limit,
    })
    await response.body?.cancel()
    return { isOk: response.ok, text: `${response.status} in ${Math.round(performance.now() - beganAt)} ms` }
  } catch (error) {
    return { isOk: false, text: `no answer${limit.aborted ? ` in ${limitMs / 1_000} s` : reasonOf(error)}` }
  }
}

/** What went wrong lies below the error of `fetch`: the code of the socket's error, or words. */
function reasonOf(error: unknown): string {
  let reason = ''
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if ('code' in cause && typeof cause.code === 'string') return `: ${cause.code}`
    reason = cause.message
  }
  return reason === '' ? '' : `: ${reason}`
}
