// Owns the list of event types. events/ owns their bodies.
import { importEventTypes } from './import-state.ts'

/**
 * The types that an endpoint can subscribe to.
 * - `connection.paused`, `connection.resumed`: the provider refuses the connection's credentials; it accepts them
 *   again.
 * - `endpoint.failing`, `endpoint.recovered`: the endpoint's breaker opened; an attempt succeeded again.
 * - `endpoint.disabled`: the service sends nothing to the endpoint any more, and `disabledReason` says why.
 * - `delivery.exhausted`: the last attempt failed.
 *
 * An endpoint gets no events about its own trouble. A delivery about an endpoint's trouble exhausts silently. Otherwise
 * two dead endpoints would report each other for ever.
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

/** All types. `webhook.test` goes only to the endpoint under test. */
export type EventType = (typeof eventTypes)[number] | 'webhook.test'

/** The default subscription of an endpoint: one event an import, when the import is over. */
export const defaultEventTypes = [
  'import.succeeded',
  'import.partial',
  'import.failed',
  'import.canceled',
  'import.lost',
  'import.stopped',
] as const satisfies readonly EventType[]

/** Returns true if the exhaustion of a delivery of this type writes an event. */
export function isExhaustionTold(type: string): boolean {
  return type.startsWith('import.') || type.startsWith('connection.')
}
