// Owns the type of an event for consumers: a union that `type` tells apart. test/webhooks/consumer/event.test.ts checks
// that it matches what the service writes.
import type { Import } from './import.ts'

export type { Import, ImportState, LostReason, Rows } from './import.ts'

interface EventOf<Type extends string, Data> {
  /** The `webhook-id`: the same on every attempt, and in `GET /v1/events`. */
  id: string
  type: Type
  /** When it happened, ISO 8601 in UTC. */
  timestamp: string
  /**
   * Numbers the events of an import from 1, without a gap. Keep the highest sequence that you have seen of an import,
   * and drop lower ones. Null: the event has no import, or is older than sequences.
   */
  sequence: number | null
  /** The import, connection, endpoint or delivery as the API showed it at that time. */
  data: Data
  /**
   * The fields of `data` that were left out because the body would be larger than 64 KiB (`["metadata"]`). `["*"]`:
   * only the id is left. Absent: none.
   */
  omitted?: readonly string[]
}

/**
 * An import changed its state, its rows were collected, or its `attention` changed. `import.rows_collected`: all
 * skipped lines and row results are stored. `import.rows_incomplete`: the rest could not be had. `import.attention`,
 * `import.stalled`, `import.overdue`: `attention` changed.
 */
export type ImportEvent = EventOf<
  | 'import.queued'
  | 'import.running'
  | 'import.succeeded'
  | 'import.partial'
  | 'import.failed'
  | 'import.canceled'
  | 'import.lost'
  | 'import.stopped'
  | 'import.resumed'
  | 'import.rows_collected'
  | 'import.rows_incomplete'
  | 'import.attention'
  | 'import.stalled'
  | 'import.overdue',
  Import
>

/** A connection stopped polling because the provider refuses its credentials, or polls again. */
export type ConnectionEvent = EventOf<'connection.paused' | 'connection.resumed', Connection>

/** An endpoint fails again and again, works again, or was disabled. Other endpoints get this event, never that one. */
export type EndpointEvent = EventOf<'endpoint.failing' | 'endpoint.recovered' | 'endpoint.disabled', WebhookEndpoint>

/** The last automatic attempt at a delivery failed. There are no more unless a caller asks for one. */
export type DeliveryEvent = EventOf<'delivery.exhausted', Delivery & { endpoint: WebhookEndpoint }>

/** A caller tests the endpoint. */
export type TestEvent = EventOf<'webhook.test', WebhookEndpoint>

export type WebhookEvent = ImportEvent | ConnectionEvent | EndpointEvent | DeliveryEvent | TestEvent

/** An account at a provider. */
export interface Connection {
  name: string
  provider: string
  /** Null: the provider's default. */
  baseUrl: string | null
  settings: Record<string, unknown>
  /** The limits as a caller set them. */
  limits: { [Limit in keyof Limits]?: Limits[Limit] | undefined }
  /** The limits in force: the connection's own, otherwise its provider's. */
  effectiveLimits: Limits
  /** JSON Pointers of fields whose changes make no new snapshot, besides the provider's own. */
  volatileFields: string[]
  /** Keys of the metadata that tell apart imports that differ in how long they take. */
  baselineBy: string[]
  /** Since when only a probe every few minutes asks the provider. */
  pausedAt: string | null
  pauseReason: 'unauthorized' | 'forbidden' | null
  /** The provider asked for no calls before this moment: 429, or 503 with `Retry-After`. */
  blockedUntil: string | null
  /** The requests of a month in UTC, as `2026-11`. `left` and `runsOutAt` are null without a monthly limit. */
  usage: { month: string; used: number; left: number | null; runsOutAt: string | null }
  createdAt: string
  updatedAt: string
}

export interface Limits {
  requestsPerSecond: number | null
  requestsPerMinute: number | null
  /** Days and months are those of UTC. */
  requestsPerDay: number | null
  requestsPerMonth: number | null
  maxInFlight: number
  minIntervalMs: number
  maxIntervalMs: number
  deadlineMs: number
}

/** A receiver of webhooks. The values of its own headers are masked. */
export interface WebhookEndpoint {
  id: string
  url: string
  types: string[]
  /** Names of the connections whose events it gets; null: all. */
  connections: string[] | null
  /** The providers whose events it gets; null: all. */
  providers: string[] | null
  /** The keys and values that an import's metadata must contain. Null: any. */
  metadata: Record<string, string | number | boolean> | null
  headers: Record<string, string>
  enabled: boolean
  /** Why it is disabled, such as `gone`: the receiver answered 410. */
  disabledReason: string | null
  /** Since when five or more attempts in a row have failed, and when the next one is due. */
  failingSince: string | null
  nextProbeAt: string | null
  /** The receiver asked for no attempts before this moment (429, 503, …). */
  blockedUntil: string | null
  /** To the minute. */
  lastSuccessAt: string | null
  createdAt: string
  updatedAt: string
}

/** An event for an endpoint, with the state of its delivery. */
export interface Delivery {
  id: string
  eventId: string
  endpointId: string
  /** The type of its event. */
  type: string
  createdAt: string
  state: 'pending' | 'delivered' | 'exhausted' | 'skipped'
  /** Requests made so far, including those that a caller asked for. */
  attempts: number
  nextAttemptAt: string | null
  deliveredAt: string | null
}
