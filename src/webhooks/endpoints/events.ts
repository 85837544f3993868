// Owns events about an endpoint and its deliveries, for other endpoints. These events have no connection and no import,
// so endpoints that filter by connection don't get them.

import type { Encryption } from '../../base/encryption.ts'
import type { Transaction } from '../../db/client.ts'
import { writeEvent } from '../../events/write.ts'
import type { ApiDelivery } from '../deliveries/present.ts'
import { type EndpointRow, presentEndpoint } from './present.ts'

/** Writes an event about the endpoint. `row` is its state at the end of the transaction. */
export async function writeEndpointEvent(
  tx: Transaction,
  encryption: Encryption,
  type: 'endpoint.failing' | 'endpoint.recovered' | 'endpoint.disabled',
  row: EndpointRow,
  now: Date,
): Promise<void> {
  await writeEvent(tx, { ...aboutEndpoint(row), type, occurredAt: now, data: presentEndpoint(encryption, row) })
}

/** Writes the event that a delivery's last attempt failed: the delivery as the API shows it, with its endpoint. */
export async function writeExhausted(
  tx: Transaction,
  encryption: Encryption,
  { delivery, endpoint, now }: { delivery: ApiDelivery; endpoint: EndpointRow; now: Date },
): Promise<void> {
  const data = { ...delivery, endpoint: presentEndpoint(encryption, endpoint) }
  await writeEvent(tx, { ...aboutEndpoint(endpoint), type: 'delivery.exhausted', occurredAt: now, data })
}

function aboutEndpoint(row: EndpointRow) {
  return { importId: null, connectionId: null, connectionName: null, endpointId: row.id }
}
