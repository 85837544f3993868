// Owns the bytes of a webhook: made once, when the event is written, then stored, signed and sent as they are.
import type { EventType } from '../model/event-types.ts'

/** No body is larger, in bytes. */
export const maxBodyBytes = 65_536

/** What is left out of a body that would be too large, in this order until it fits, and what stands in its place. */
const droppable = { metadata: {}, message: null, lastError: null, providerStatus: null }

/**
 * The body `{type, timestamp, sequence, data}`. Where it would be larger than {@link maxBodyBytes}, `data` loses its metadata,
 * then its message, lastError and providerStatus, and `omitted` names what is missing; at the worst only the id is left.
 */
export function eventBody(event: {
  type: EventType
  occurredAt: Date
  /** Null: the event is of no import. */
  sequence: number | null
  data: Readonly<Record<string, unknown>>
}): string {
  const { type, sequence, data } = event
  const timestamp = event.occurredAt.toISOString()
  const whole = JSON.stringify({ type, timestamp, sequence, data })
  if (fits(whole)) return whole

  const kept = { ...data }
  const omitted: string[] = []
  for (const [field, blank] of Object.entries(droppable)) {
    if (!kept[field]) continue
    kept[field] = blank
    omitted.push(field)
    const body = JSON.stringify({ type, timestamp, sequence, data: kept, omitted })
    if (fits(body)) return body
  }
  return JSON.stringify({ type, timestamp, sequence, data: { id: data.id }, omitted: ['*'] })
}

function fits(body: string): boolean {
  return Buffer.byteLength(body) <= maxBodyBytes
}
