// Owns which events there are. What an event says is events/'s business.
import { importEventTypes } from './import-state.ts'

/**
 * The types that an endpoint can ask for.
 * - `connection.paused`, `connection.resumed`: its credentials are refused; they work again.
 * - `endpoint.failing`, `endpoint.recovered`: its breaker opened; an attempt succeeded again.
 * - `endpoint.disabled`: nothing is sent to it any more, and `disabledReason` says why.
 * - `delivery.exhausted`: the last attempt failed.
 *
 * An endpoint isn't told of its own trouble, and a delivery that tells of an endpoint's trouble exhausts silently:
 * otherwise two that are dead would tell each other for ever.
 */
export const eventTypes = [
  ...importEventTypes,
  'connection.paused',
  'connection.resumed',
  'endpoint.failing',
  'endpoint.recovered',
  'endpoint.disabled',
  'delivery.exhausted',
] as const

/** `webhook.test` goes only to the endpoint that is tested. */
export type EventType = (typeof eventTypes)[number] | 'webhook.test'

/** What an endpoint gets unless it says otherwise: each import once, when it is over. */
export const defaultEventTypes = [
  'import.succeeded',
  'import.partial',
  'import.failed',
  'import.canceled',
  'import.lost',
  'import.stopped',
] as const satisfies readonly EventType[]

/** Whether somebody is told when a delivery of this type is exhausted. */
export function isExhaustionTold(type: string): boolean {
  return type.startsWith('import.') || type.startsWith('connection.')
}
