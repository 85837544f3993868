// Owns following the imports to their end through the API: until each is over, its rows are stored, and its webhooks
// are delivered.
import { setTimeout as delay } from 'node:timers/promises'
import type { ApiImport } from '../imports/present.ts'
import { isOver } from '../model/import-state.ts'
import type { Api } from './api.ts'
import type { Followed } from './register.ts'

export interface Delivery {
  eventId: string
  type: string
  state: 'pending' | 'delivered' | 'exhausted' | 'skipped'
}

const everyMs = 200

/**
 * Returns the endpoint's deliveries once everything is over, at `untilMs` (of `performance.now()`), or when aborted.
 * @param show called after every reading of the imports.
 */
export async function follow(
  { api, show, signal }: { api: Api; show: () => void; signal: AbortSignal },
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
      await api.post(`/imports/${one.import.id}/stop`)
    }
    await refresh(api, followed)
    show()
    const settled = followed.every((one) => isSettled(one.import))
    const givenUp = signal.aborted || performance.now() > untilMs
    if (settled || givenUp) {
      const deliveries = await listDeliveries(api, endpointId)
      if (givenUp || deliveries.every(({ state }) => state !== 'pending')) return deliveries
    }
    await delay(everyMs, undefined, { signal }).catch(() => {})
  }
}

/** Returns true if the import is over and nothing more of it will be stored. */
export function isSettled({ state, details }: ApiImport): boolean {
  return isOver(state) && details.state !== 'pending' && details.state !== 'collecting'
}

async function refresh(api: Api, followed: readonly Followed[]): Promise<void> {
  // The list begins with the newest imports, which are ours.
  const { data } = await api.get<{ data: ApiImport[] }>('/imports?limit=1000')
  const shown = new Map(data.map((one) => [one.id, one]))
  for (const one of followed) {
    one.import = shown.get(one.import.id) ?? one.import
    if (one.import.attention !== null) one.attentions.add(one.import.attention)
  }
}

async function listDeliveries(api: Api, endpointId: string): Promise<Delivery[]> {
  const { data } = await api.get<{ data: Delivery[] }>(`/deliveries?endpointId=${endpointId}&limit=1000`)
  return data
}
