// What consumers are told of events is what the service writes: mostly checked by `tsc`.
import type { IncomingHttpHeaders } from 'node:http'
import { expectTypeOf, it } from 'vitest'
import type { ApiConnection } from '../../../src/connections/present.ts'
import type { ApiImport } from '../../../src/imports/present.ts'
import type { EventType } from '../../../src/model/event-types.ts'
import type * as consumer from '../../../src/webhooks/consumer/verify.ts'
import type { ApiDelivery } from '../../../src/webhooks/deliveries/present.ts'
import type { ApiEndpoint } from '../../../src/webhooks/endpoints/present.ts'

it('every type of event is in the union', () => {
  expectTypeOf<EventType>().toExtend<consumer.WebhookEvent['type']>()
})

it('their data is what the API shows', () => {
  expectTypeOf<consumer.Import>().toEqualTypeOf<ApiImport>()
  expectTypeOf<consumer.Connection>().toEqualTypeOf<ApiConnection>()
  expectTypeOf<ApiEndpoint>().toExtend<consumer.WebhookEndpoint>()
  expectTypeOf<keyof consumer.WebhookEndpoint>().toEqualTypeOf<keyof ApiEndpoint>()
  expectTypeOf<consumer.Delivery>().toEqualTypeOf<ApiDelivery>()
})

it('the type tells what the data is', () => {
  const read = (event: consumer.WebhookEvent) => {
    if (event.type === 'import.partial') return event.data.rows.failed
    if (event.type === 'connection.paused') return event.data.name
    return null
  }
  expectTypeOf(read).returns.toEqualTypeOf<number | string | null>()
})

it('headers may be those of Node or of fetch', () => {
  expectTypeOf<IncomingHttpHeaders>().toExtend<consumer.WebhookHeaders>()
  expectTypeOf<Headers>().toExtend<consumer.WebhookHeaders>()
})
