// Owns the types of events in webhooks, for consumers: those of the API's document, with their id.
import type * as Schemas from '../schema.ts'

/** The `webhook-id`: the same on every attempt, and in `GET /v1/events`. */
interface Identified {
  id: string
}

/** An import changed its state, its rows were collected, or its `attention` changed. */
export type ImportEvent = Schemas.ImportWebhook & Identified

/** A connection stopped polling because the provider refuses its credentials, or polls again. */
export type ConnectionEvent = Schemas.ConnectionWebhook & Identified

/** An endpoint fails again and again, works again, or was disabled. Other endpoints get this event, never that one. */
export type EndpointEvent = Schemas.EndpointWebhook & Identified

/** The last automatic attempt at a delivery failed. There are no more unless a caller asks for one. */
export type DeliveryEvent = Schemas.DeliveryWebhook & Identified

/** A caller tests the endpoint. */
export type TestEvent = Schemas.TestWebhook & Identified

export type WebhookEvent = ImportEvent | ConnectionEvent | EndpointEvent | DeliveryEvent | TestEvent

export type Import = Schemas.Import
export type ImportState = Import['state']
export type LostReason = NonNullable<Import['lostReason']>
export type Rows = Schemas.Rows
export type Connection = Schemas.Connection
export type Limits = Connection['effectiveLimits']
export type WebhookEndpoint = Schemas.WebhookEndpoint
export type Delivery = Schemas.Delivery
