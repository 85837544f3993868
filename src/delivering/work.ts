// Owns the processor of the queues of deliveries: an attempt a job, one wide log line an attempt.

import type { Log } from '../base/log.ts'
import { systemCodeOf } from '../egress/errors.ts'
import type { Payload } from '../queue/jobs.ts'
import type { Outcome } from '../webhooks/outcome.ts'
import type { Wake } from '../work/wake.ts'
import { type DeliverDeps, type DeliverResult, deliver } from './deliver.ts'
import type { Recorded } from './record.ts'

/** Told of every attempt, for the metrics. `firstAttemptDelayMs`: from the event to its first request; null for later ones. */
export type DeliveryObserver = (attempt: {
  outcome: Outcome
  durationMs: number
  firstAttemptDelayMs: number | null
}) => void

export interface DeliveryDeps extends DeliverDeps {
  log: Log
  /** Asked to look for more where more is due to an endpoint that took one: it takes only a few at once. */
  wake: Wake
  observeDelivery: DeliveryObserver
}

/** How long a job goes on with the deliveries of its endpoint: what others wait for its slot at the most. */
const goOnMs = 250

export function createDeliveryWorker(
  deps: DeliveryDeps,
): (payload: Payload<'deliver'>, signal: AbortSignal) => Promise<void> {
  return async ({ deliveryId, number, manual }, signal) => {
    const until = performance.now() + goOnMs
    const goOn = () => !signal.aborted && performance.now() < until
    let made = await attempt(deps, deliveryId, { number, manual, signal, goOn })
    while (made.next) made = await attempt(deps, made.next.id, { ...made.next, manual: false, signal, goOn })
    if (made.moreDue) deps.wake(['deliver'])
  }
}

async function attempt(
  deps: DeliveryDeps,
  deliveryId: string,
  options: Parameters<typeof deliver>[2],
): Promise<Pick<Recorded, 'next' | 'moreDue'>> {
  const delivered = await deliver(deps, deliveryId, options)
  if (delivered.kind === 'attempted') {
    report(deps, delivered)
    return delivered
  }
  deps.log.debug({ deliveryId, ...delivered }, 'delivery not made')
  return { next: null, moreDue: false }
}

function report({ log, observeDelivery }: DeliveryDeps, made: DeliverResult & { kind: 'attempted' }): void {
  const { attempt, result, verdict, endpointChange, endedAt } = made
  const durationMs = endedAt.getTime() - attempt.startedAt.getTime()
  const sinceEventMs = attempt.startedAt.getTime() - attempt.createdAt.getTime()
  observeDelivery({
    outcome: result.outcome,
    durationMs,
    firstAttemptDelayMs: attempt.number === 1 ? sinceEventMs : null,
  })
  log.info(
    {
      deliveryId: attempt.deliveryId,
      eventId: attempt.event.id,
      type: attempt.event.type,
      endpointId: attempt.endpoint.id,
      url: shownUrl(attempt.endpoint.url),
      attempt: attempt.number,
      manual: attempt.manual,
      outcome: result.outcome,
      status: result.status,
      errorCode: result.errorCode,
      systemCode: systemCodeOf(result.error),
      durationMs,
      latenessMs: Math.max(0, attempt.startedAt.getTime() - attempt.dueAt.getTime()),
      state: verdict.delivery.state,
      nextInMs: verdict.delivery.state === 'pending' ? verdict.delivery.waitMs : null,
      endpoint: endpointChange ?? verdict.endpoint.kind,
    },
    'delivery',
  )
}

/** Without query and user information, where people put secrets. */
function shownUrl(url: string): string {
  const { origin, pathname } = new URL(url)
  return origin + pathname
}
