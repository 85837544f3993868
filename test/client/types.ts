// What doesn't compile with the client, and what does. Checked by tsc alone.
import type { Client } from '../../packages/client/src/index.ts'

export function refused(tracker: Client) {
  // @ts-expect-error: there is no such state
  tracker.imports.list({ state: ['exploded'] })
  // @ts-expect-error: there is no such filter
  tracker.imports.list({ planet: 'mars' })
  // @ts-expect-error: a registration names a connection
  tracker.imports.register({ jobId: 'j' })
  // @ts-expect-error: an import is got by its id
  tracker.imports.get()
  // @ts-expect-error: a path has the name of a connection
  tracker.connections.get(7)
  // @ts-expect-error: cdq's credentials are an API key
  tracker.connections.put('crm', { provider: 'cdq', credentials: { token: 't' } })
  // @ts-expect-error: micro's settings name a team
  tracker.connections.put('crm', { provider: 'micro', credentials: { apiKey: 'k' } })
  // @ts-expect-error: limits are numbers
  tracker.connections.put('crm', { provider: 'cdq', credentials: { apiKey: 'k' }, limits: { maxInFlight: '3' } })
  // @ts-expect-error: there is no such type of event
  tracker.events.follow({ type: 'import.exploded' })
  // @ts-expect-error: there is no such type of event
  tracker.endpoints.create({ url: 'https://hooks.example.com', types: ['import.*'] })
  // @ts-expect-error: a delivery has no such state
  tracker.deliveries.list({ state: 'lost' })
  // @ts-expect-error: there is no such action
  tracker.imports.actions({ filter: { ids: ['i'] }, action: 'explode' })
  // @ts-expect-error: there is no such scope
  tracker.tokens.create({ name: 'n', scope: 'root' })
}
export function accepted(tracker: Client) {
  const credentials = { apiKey: 'k' }
  tracker.connections.put('crm', { provider: 'cdq', credentials, limits: { maxInFlight: 3 } })
  tracker.connections.put('crm', { provider: 'of-our-own', credentials: { anything: 'k' }, settings: { some: 1 } })
  tracker.connections.put('crm', { provider: 'cdq' as string, credentials })
  tracker.imports.list({ state: 'failed', metadata: { team: 'data', run: 42 }, order: 'oldest' })
}
export async function narrowed(tracker: Client) {
  for await (const event of tracker.events.follow()) {
    if (event.type === 'import.failed') return event.data.rows.failed
    // @ts-expect-error: a connection has no rows
    if (event.type === 'connection.paused') return event.data.rows
  }
  return null
}
