// Owns the form of events in the API's document: in the feed, and as the bodies of webhooks. What an event's data is
// follows from its type.
import { z } from 'zod'
import { connectionSchema } from '../connections/present.ts'
import type { ApiEvent } from '../events/feed.ts'
import { importSchema } from '../imports/present.ts'
import { importEventTypes } from '../model/import-state.ts'
import { deliverySchema } from '../webhooks/deliveries/present.ts'
import { endpointSchema } from '../webhooks/endpoints/present.ts'

const importTypes = z
  .enum(importEventTypes)
  .describe(
    'A change of the state; all rows are stored (`import.rows_collected`), or the rest could not be had (`import.rows_incomplete`); or `attention` became another one (`import.attention`, `import.stalled`, `import.overdue`).',
  )
const connectionTypes = z
  .enum(['connection.paused', 'connection.resumed'])
  .describe('The provider refuses the connection’s credentials, or accepts them again.')
const endpointTypes = z
  .enum(['endpoint.failing', 'endpoint.recovered', 'endpoint.disabled'])
  .describe('An endpoint fails again and again, works again, or was disabled. Only other endpoints are told.')
const deliveryTypes = z
  .enum(['delivery.exhausted'])
  .describe('The last automatic attempt at a delivery failed. There are no more unless a caller asks for one.')
const testTypes = z.enum(['webhook.test']).describe('A caller tests the endpoint. No other endpoint gets it.')

const exhaustedDeliverySchema = deliverySchema
  .extend({ endpoint: endpointSchema })
  .meta({ id: 'ExhaustedDelivery', description: 'A delivery, with its endpoint.' })

const importSequence = z
  .number()
  .int()
  .nullable()
  .describe('Numbers the events of the import from 1, without a gap. Null: the event is older than sequences.')
const noSequence = z.number().int().nullable().describe('Null: only the events of an import are numbered.')
const timestamp = z.iso.datetime().describe('When it happened.')
const omitted = z
  .array(z.string())
  .optional()
  .describe(
    'Fields left out of `data`, because the body would have been larger than 64 KiB. `*`: only the id is left. Absent: none.',
  )

const id = z.uuid().describe('Equals the `webhook-id` of its webhooks.')
const aboutImport = { id, importId: z.uuid() }
const aboutOther = { id, importId: z.uuid().nullable().describe('Null: the event isn’t of an import.') }

const told = z
  .discriminatedUnion('type', [
    z.object({ ...aboutImport, ...form(importTypes, importSequence, importSchema) }).meta({ id: 'ImportEvent' }),
    z.object({ ...aboutOther, ...form(connectionTypes, noSequence, connectionSchema) }).meta({ id: 'ConnectionEvent' }),
    z.object({ ...aboutOther, ...form(endpointTypes, noSequence, endpointSchema) }).meta({ id: 'EndpointEvent' }),
    z
      .object({ ...aboutOther, ...form(deliveryTypes, noSequence, exhaustedDeliverySchema) })
      .meta({ id: 'DeliveryEvent' }),
  ])
  .meta({
    id: 'Event',
    description:
      'Something that happened. `data` is the import, connection, endpoint or delivery as the API showed it then: an event that is older than a field of it lacks the field.',
  })

/** An event in the feed. Events are stored as they were signed, so no code reads them by this schema. */
export const eventSchema = told as z.ZodType<unknown> as z.ZodType<ApiEvent>

/** The body of a webhook. Its id is in the header `webhook-id`. */
export const webhookSchema = z
  .discriminatedUnion('type', [
    z.object(form(importTypes, importSequence, importSchema)).meta({ id: 'ImportWebhook' }),
    z.object(form(connectionTypes, noSequence, connectionSchema)).meta({ id: 'ConnectionWebhook' }),
    z.object(form(endpointTypes, noSequence, endpointSchema)).meta({ id: 'EndpointWebhook' }),
    z.object(form(deliveryTypes, noSequence, exhaustedDeliverySchema)).meta({ id: 'DeliveryWebhook' }),
    z.object(form(testTypes, noSequence, endpointSchema)).meta({ id: 'TestWebhook' }),
  ])
  .meta({ id: 'Webhook', description: 'The body of a webhook: an event, whose id is in the header `webhook-id`.' })

function form<Type extends z.ZodType, Sequence extends z.ZodType, Data extends z.ZodType>(
  type: Type,
  sequence: Sequence,
  data: Data,
) {
  return { type, timestamp, sequence, data, omitted }
}
