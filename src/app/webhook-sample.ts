// Owns a sample of each webhook: the example of the API's document, as it would be with this type.
import { webhookExample } from '../http/examples.ts'
import { apiDocument } from '../http/operations.ts'
import type { EventType } from '../model/event-types.ts'

type Values = Record<string, unknown>

export function webhookSample(type: EventType, now: Date): Values {
  const example = webhookExample(apiDocument(), type)
  const { data, timestamp: _, ...rest } = example as { data: Values; timestamp: string }
  const isOfImport = type.startsWith('import.')
  return {
    ...{ type, timestamp: now.toISOString() },
    ...{ ...rest, sequence: isOfImport ? 3 : null, type },
    data: { ...data, ...dataOf(type, now.toISOString(), data) },
  }
}

const live = { progress: 0.5, providerStatus: 'RUNNING', finishedAt: null, providerFinishedAt: null }
const waiting = { ...live, progress: null, providerStatus: 'QUEUED', providerStartedAt: null }

/** What an event of this type says that others don't. */
function dataOf(type: EventType, at: string, data: Values): Values {
  switch (type) {
    case 'import.queued':
      return { ...waiting, state: 'queued', details: none(data) }
    case 'import.running':
      return { ...live, state: 'running', details: none(data) }
    case 'import.resumed':
      return { ...waiting, state: 'pending', providerStatus: null, details: none(data) }
    case 'import.attention':
      return { ...live, state: 'running', attention: 'unmapped_status', providerStatus: 'PAUSED', details: none(data) }
    case 'import.stalled':
      return { ...live, state: 'running', attention: 'stalled', details: none(data) }
    case 'import.overdue':
      return { ...live, state: 'running', attention: 'overdue', details: none(data) }
    case 'import.succeeded':
      return { state: 'succeeded' }
    case 'import.failed':
      return { state: 'failed', progress: null, providerStatus: 'FAILED', message: 'The file is no CSV.' }
    case 'import.canceled':
      return { state: 'canceled', progress: 0.5, providerStatus: 'CANCELED' }
    case 'import.lost':
      return { ...live, finishedAt: at, state: 'lost', lostReason: 'not_found' }
    case 'import.stopped':
      return { ...live, finishedAt: at, state: 'stopped' }
    case 'import.rows_incomplete':
      return { details: { ...(data.details as Values), state: 'incomplete' } }
    case 'connection.paused':
      return { pausedAt: at, pauseReason: 'unauthorized' }
    case 'endpoint.failing':
      return { failingSince: at }
    case 'endpoint.disabled':
      return { enabled: false, disabledReason: 'failing', failingSince: at }
    default:
      return {}
  }
}

function none(data: Values): Values {
  return { ...(data.details as Values), state: 'none', skippedLines: 0, rowResults: 0 }
}
