// Owns following the imports to their end through the API: until each is over, its rows are stored, and its webhooks
// are delivered.
import { setTimeout as delay } from 'node:timers/promises'
import type { Client, Schemas } from '../../packages/client/src/index.ts'
import type { ApiImport } from '../imports/present.ts'
import { isOver } from '../model/import-state.ts'
import type { Followed } from './register.ts'

export type Delivery = Pick<Schemas.Delivery, 'eventId' | 'type' | 'state'>

const everyMs = 200

/**
 * Returns the endpoint's deliveries once everything is over, at `untilMs` (of `performance.now()`), or when aborted.
 * @param show called after every reading of the imports.
 */
export async function follow(
  { tracker, show, signal }: { tracker: Client; show: () => void; signal: AbortSignal },
  followed: readonly Followed[],
  { endpointId, untilMs }: { endpointId: string; untilMs: number },
): Promise<Delivery[]> {
  const beganAt = performance.now()
  const toStop = new Set(followed.filter(({ scenario }) => scenario.stopAfterMs !== undefined))
  for (;;) {
    const elapsedMs = performance.now() - beganAt
    for (const one of toStop) {
      if ((one.scenario.stopAfterMs ?? 0) > elapsedMs) continue
      toStop.delete(one)
      await tracker.imports.stop(one.import.id)
    }
    await refresh(tracker, followed)
    show()
    const settled = followed.every((one) => isSettled(one.import))
    const givenUp = signal.aborted || performance.now() > untilMs
    if (settled || givenUp) {
      const deliveries = (await tracker.deliveries.list({ endpointId, limit: 1_000 }).page()).data
      if (givenUp || deliveries.every(({ state }) => state !== 'pending')) return deliveries
    }
    await delay(everyMs, undefined, { signal }).catch(() => {})
  }
}

/** Returns true if the import is over and nothing more of it will be stored. */
export function isSettled({ state, details }: Pick<ApiImport, 'state' | 'details'>): boolean {
  return isOver(state) && details.state !== 'pending' && details.state !== 'collecting'
}

async function refresh(tracker: Client, followed: readonly Followed[]): Promise<void> {
  // The list begins with the newest imports, which are ours.
  const { data } = await tracker.imports.list({ limit: 1_000 }).page()
  const shown = new Map(data.map((one) => [one.id, one]))
  for (const one of followed) {
    one.import = shown.get(one.import.id) ?? one.import
    if (one.import.attention !== null) one.attentions.add(one.import.attention)
  }
}
