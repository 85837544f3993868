// Owns the bytes of a webhook: made once, with the event, and then stored, signed and sent unchanged.
import type { EventType } from '../model/event-types.ts'

/** The size limit of a body, in bytes. */
export const maxBodyBytes = 65_536

/**
 * The fields to leave out of a body that would be too large, in this order until it fits, each with its replacement.
 */
const droppable = { metadata: {}, message: null, lastError: null, providerStatus: null }

/**
 * Returns the body `{type, timestamp, sequence, data}`. If it would exceed {@link maxBodyBytes}, `data` loses its
 * metadata, then its message, lastError and providerStatus. `omitted` names the missing fields. In the worst case only
 * the id is left.
 */
export function eventBody(event: {
  type: EventType
  occurredAt: Date
  /** Null: the event has no import. */
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
