// Owns what an event is to a consumer: a union that `type` tells apart. That it is what the service writes is checked
// by test/webhooks/consumer/event.test.ts.
import type { Import } from './import.ts'

export type { Import, ImportState, LostReason, Rows } from './import.ts'

interface EventOf<Type extends string, Data> {
  /** The `webhook-id`: the same on every attempt, and in `GET /v1/events`. */
  id: string
  type: Type
  /** When it happened, ISO 8601 in UTC. */
  timestamp: string
  /**
   * From 1, without a gap, for each import: keep the highest one that you have seen of an import, and drop what is lower.
   * Null: the event is of no import, or was written before there were sequences.
   */
  sequence: number | null
  /** As the API showed it then. */
  data: Data
  /**
   * Fields of `data` that were left out because the body would be larger than 64 KiB (`["metadata"]`); `["*"]`: all
   * but its id. Absent: none.
   */
  omitted?: readonly string[]
}

/**
 * An import came into a state, all its skipped lines and row results are stored (`import.rows_collected`) or as many as
 * could be had (`import.rows_incomplete`), or its `attention` became another one (`import.attention`, `import.stalled`,
 * `import.overdue`).
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

/** A connection asks nothing any more because its credentials are refused, or asks again. */
export type ConnectionEvent = EventOf<'connection.paused' | 'connection.resumed', Connection>

/** An endpoint fails again and again, works again, or was disabled: others are told, never it itself. */
export type EndpointEvent = EventOf<'endpoint.failing' | 'endpoint.recovered' | 'endpoint.disabled', WebhookEndpoint>

/** The last attempt at a delivery failed: there are no more unless somebody asks. */
export type DeliveryEvent = EventOf<'delivery.exhausted', Delivery & { endpoint: WebhookEndpoint }>

/** Somebody tries the endpoint out. */
export type TestEvent = EventOf<'webhook.test', WebhookEndpoint>

export type WebhookEvent = ImportEvent | ConnectionEvent | EndpointEvent | DeliveryEvent | TestEvent

/** An account at a provider. */
export interface Connection {
  name: string
  provider: string
  /** Null: the provider's default. */
  baseUrl: string | null
  settings: Record<string, unknown>
  /** The limits as they were set. */
  limits: { [Limit in keyof Limits]?: Limits[Limit] | undefined }
  /** The limits that hold: its own, else the provider's. */
  effectiveLimits: Limits
  /** Fields that make no snapshot a new one, besides the provider's own: JSON Pointers. */
  volatileFields: string[]
  /** Since when nothing is asked, but for a probe every few minutes. */
  pausedAt: string | null
  pauseReason: 'unauthorized' | 'forbidden' | null
  /** Nothing is asked before this, because the provider said 429. */
  blockedUntil: string | null
  createdAt: string
  updatedAt: string
}

export interface Limits {
  requestsPerSecond: number | null
  requestsPerMonth: number | null
  maxInFlight: number
  minIntervalMs: number
  maxIntervalMs: number
  deadlineMs: number
}

/** Whom webhooks are sent to. The values of its own headers are masked. */
export interface WebhookEndpoint {
  id: string
  url: string
  types: string[]
  /** Names of the connections whose events it gets; null: all. */
  connections: string[] | null
  /** The providers whose events it gets; null: all. */
  providers: string[] | null
  /** What the metadata of an import must have; null: anything. */
  metadata: Record<string, string | number | boolean> | null
  headers: Record<string, string>
  enabled: boolean
  /** Why it is disabled, such as `gone`: it answered 410. */
  disabledReason: string | null
  /** Since when five attempts or more failed in a row, and when the next one is tried. */
  failingSince: string | null
  nextProbeAt: string | null
  /** Nothing is sent before this, because it asked to wait (429, 503, …). */
  blockedUntil: string | null
  /** To the minute. */
  lastSuccessAt: string | null
  createdAt: string
  updatedAt: string
}

/** An event on its way to an endpoint. */
export interface Delivery {
  id: string
  eventId: string
  endpointId: string
  /** The type of its event. */
  type: string
  state: 'pending' | 'delivered' | 'exhausted' | 'skipped'
  /** Requests made so far, those that somebody asked for included. */
  attempts: number
  nextAttemptAt: string | null
  deliveredAt: string | null
}
