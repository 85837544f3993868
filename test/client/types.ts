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
  // @ts-expect-error: there is no such scope
  tracker.tokens.create({ name: 'n', scope: 'root' })
}
export async function narrowed(tracker: Client) {
  for await (const event of tracker.events.follow()) {
    if (event.type === 'import.failed') return event.data.rows.failed
    // @ts-expect-error: a connection has no rows
    if (event.type === 'connection.paused') return event.data.rows
  }
  return null
}
