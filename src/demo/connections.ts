// Owns the demo's connections: one account at each vendor's sandbox, polled often, so that there is something to see.
import type { VendorName } from '../sandbox/script.ts'
import type { Sandbox } from '../sandbox/server.ts'

export const connections = {
  cdq: { provider: 'cdq' },
  /** A connection of its own, because a 429 makes all imports of a connection wait. */
  'cdq-busy': { provider: 'cdq' },
  /** micro.so's own limits, which its sandbox enforces. */
  micro: { provider: 'micro', limits: { requestsPerSecond: 10, requestsPerMonth: 1_000, minIntervalMs: 1_000 } },
  zilliant: { provider: 'zilliant' },
  fullstory: { provider: 'fullstory' },
  'fs-users': { provider: 'fullstory', settings: { resource: 'users' } },
  salesforce: { provider: 'salesforce', limits: { requestsPerSecond: 10 } },
  shopify: { provider: 'shopify', limits: { requestsPerSecond: 10 } },
  mailchimp: { provider: 'mailchimp' },
} as const satisfies Record<string, { provider: VendorName; limits?: object; settings?: object }>

export type ConnectionName = keyof typeof connections

const lively = { minIntervalMs: 400, maxIntervalMs: 2_000 }

/** Returns the body for `PUT /v1/connections/{name}`. */
export function connectionBody(name: ConnectionName, sandbox: Sandbox) {
  const connection: { provider: VendorName; limits?: object; settings?: object } = connections[name]
  const { provider } = connection
  return {
    provider,
    baseUrl: sandbox.baseUrl(provider),
    credentials: sandbox.credentials(provider),
    settings: { ...sandbox.settings(provider), ...connection.settings },
    limits: { ...lively, ...connection.limits },
  }
}
