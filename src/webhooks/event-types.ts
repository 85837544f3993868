// Owns which events there are. What an event says is events.ts's business.
import { importEventTypes } from '../imports/state.ts'

/** The types that an endpoint can ask for. */
export const eventTypes = [...importEventTypes, 'connection.paused', 'connection.resumed'] as const

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
