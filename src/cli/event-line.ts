// Owns an event as one line for people: time, type, subject, state and sequence.
import type { Import, WebhookEvent } from '../../packages/client/src/index.ts'

const typeWidth = 22

export function eventLine(event: WebhookEvent, now: Date): string {
  const { subject, state } = summaryOf(event)
  const sequence = event.sequence ? ` #${event.sequence}` : ''
  return printable(`${now.toISOString()} ${event.type.padEnd(typeWidth)} ${subject} ${state}${sequence}`)
}

function summaryOf(event: WebhookEvent): { subject: string; state: string } {
  switch (event.type) {
    case 'connection.paused':
    case 'connection.resumed':
      return { subject: event.data.name, state: event.data.pauseReason ?? 'asking' }
    case 'endpoint.failing':
    case 'endpoint.recovered':
    case 'endpoint.disabled':
    case 'webhook.test':
      return { subject: event.data.url, state: event.data.disabledReason ?? 'enabled' }
    case 'delivery.exhausted':
      return { subject: `${event.data.type} to ${event.data.endpointId}`, state: event.data.state }
    default:
      return summaryOfImport(event.data)
  }
}

/** Also accepts other data: a body may have lost everything but its id, and a newer service may have new types. */
function summaryOfImport({ connection, jobId, id = '', state }: Partial<Import>) {
  return { subject: connection === undefined ? id : `${connection}/${jobId} ${id}`, state: state ?? '' }
}

/** Replaces characters that would move a terminal's cursor: names and job ids are other people's text. */
function printable(text: string): string {
  return text.replace(/\p{Cc}|\p{Cf}/gu, '\uFFFD')
}
