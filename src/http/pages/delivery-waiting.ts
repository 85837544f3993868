// Owns the words for what a delivery waits for.
import type { ApiAttempt, ApiDelivery } from '../../webhooks/deliveries/present.ts'
import type { ApiEndpoint } from '../../webhooks/endpoints/present.ts'
import { attemptMs } from '../../webhooks/outcome.ts'
import { counted, due, when } from './format.ts'
import { type Html, html } from './html.ts'

/** An attempt that a person asked for isn't held back by a failing endpoint. It begins sooner than this. */
const askedForMs = 2_000

interface Waiting {
  delivery: Pick<ApiDelivery, 'state' | 'nextAttemptAt'>
  attempts: readonly Pick<ApiAttempt, 'outcome' | 'startedAt'>[]
  /** Null: it was deleted. */
  endpoint: Pick<ApiEndpoint, 'failingSince' | 'nextProbeAt' | 'blockedUntil'> | null
  now: Date
}

/** How long it takes at most until the next attempt, or until the one under way has its answer. Null: it waits for none. */
export function waiting({ delivery: { state, nextAttemptAt }, attempts, endpoint, now }: Waiting): Html | null {
  const underWay = attempts.find(({ outcome }) => outcome === 'in_flight')
  if (underWay) {
    const leftMs = Date.parse(underWay.startedAt) + attemptMs - now.getTime()
    return html`<span>waiting for the receiver’s answer, at most ${counted(Math.max(0, Math.ceil(leftMs / 1_000)), 'second')} more</span>`
  }
  if (state !== 'pending' || nextAttemptAt === null) return null
  const dueForMs = now.getTime() - Date.parse(nextAttemptAt)
  const isAhead = (moment: string | null | undefined) => moment != null && Date.parse(moment) > now.getTime()
  if (endpoint !== null && dueForMs >= 0 && isAhead(endpoint.blockedUntil))
    return html`<span>waiting: its receiver asked for a pause, and is tried again ${when(endpoint.blockedUntil, now)}</span>`
  if (endpoint !== null && dueForMs >= askedForMs && endpoint.failingSince !== null && isAhead(endpoint.nextProbeAt))
    return html`<span>waiting: its endpoint is failing, and is tried again ${when(endpoint.nextProbeAt, now)}</span>`
  return html`<span>waiting: attempt ${due(nextAttemptAt, now)}</span>`
}
