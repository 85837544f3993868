// Owns writing down what an attempt says about its endpoint, and telling others when that changes.
import { eq } from 'drizzle-orm'
import { after } from '../base/clock.ts'
import type { Encryption } from '../base/encryption.ts'
import type { Database, Transaction } from '../db/client.ts'
import { webhookEndpoints } from '../db/schema/index.ts'
import { disableEndpoint, oneDisablesAtOnce } from '../webhooks/endpoints/disable.ts'
import { writeEndpointEvent } from '../webhooks/endpoints/events.ts'
import { afterFailure, type Health, healthy, isGivenUp } from '../webhooks/endpoints/health.ts'
import type { EndpointRow } from '../webhooks/endpoints/present.ts'
import type { Attempt } from './begin.ts'
import type { Verdict } from './judge.ts'

/** What an attempt made of its endpoint; null: nothing new. */
export type EndpointChange = 'failing' | 'recovered' | 'disabled' | null

export interface NotedFailure {
  /** The endpoint was changed since the attempt began: the answer isn't of where it is now, and says nothing of it. */
  isOutdated: boolean
  /** Locked, and as it is now. */
  endpoint: EndpointRow
  /** Disables the endpoint if that follows, and writes the event; to be called when the delivery is written. */
  tell(encryption: Encryption): Promise<EndpointChange>
}

/** Counts a success, which closes the breaker. */
export async function noteSuccess(
  { db, encryption }: { db: Database; encryption: Encryption },
  endpointId: string,
  now: Date,
): Promise<EndpointChange> {
  return db.transaction(async (tx) => {
    const old = await lock(tx, endpointId, 'no key update')
    const row = await set(tx, endpointId, { ...healthy, lastSuccessAt: now })
    if (old.failingSince === null || old.disabledAt || old.deletedAt) return null
    await writeEndpointEvent(tx, encryption, 'endpoint.recovered', row, now)
    return 'recovered'
  })
}

/** Counts a failure, which may open the breaker, and makes the whole endpoint wait if it said so. */
export async function noteFailure(
  tx: Transaction,
  { endpoint: { id, health: seen }, startedAt }: Attempt,
  verdict: Verdict['endpoint'],
  now: Date,
): Promise<NotedFailure> {
  const failure = { startedAt, endedAt: now, asksToWait: verdict.kind === 'wait' && !verdict.mayBeDead }
  const mayEnd = verdict.kind === 'gone' || isGivenUp(afterFailure(seen, failure), now)
  if (mayEnd) await oneDisablesAtOnce(tx)
  const old = await lock(tx, id, mayEnd ? 'update' : 'no key update')
  if (old.updatedAt > startedAt) return { isOutdated: true, endpoint: old, tell: async () => null }
  const health = afterFailure(old, failure)
  const endpoint = await set(tx, id, { ...health, ...(verdict.kind === 'wait' && waiting(old, verdict.waitMs, now)) })
  return {
    isOutdated: false,
    endpoint,
    async tell(encryption) {
      if (endpoint.disabledAt || endpoint.deletedAt) return null
      const reason = verdict.kind === 'gone' ? 'gone' : mayEnd && isGivenUp(health, now) ? 'failing' : null
      if (reason !== null) {
        await disableEndpoint(tx, encryption, endpoint, { reason, now })
        return 'disabled'
      }
      if (old.failingSince !== null || health.failingSince === null) return null
      await writeEndpointEvent(tx, encryption, 'endpoint.failing', endpoint, now)
      return 'failing'
    },
  }
}

function waiting({ blockedUntil }: EndpointRow, waitMs: number, now: Date): Partial<EndpointRow> {
  const until = after(now, waitMs)
  return blockedUntil !== null && blockedUntil > until ? {} : { blockedUntil: until }
}

async function lock(tx: Transaction, id: string, strength: 'update' | 'no key update'): Promise<EndpointRow> {
  const [row] = await tx.select().from(webhookEndpoints).where(eq(webhookEndpoints.id, id)).for(strength)
  if (!row) throw new Error(`There is no endpoint ${id}.`)
  return row
}

async function set(
  tx: Transaction,
  id: string,
  change: Health & Partial<Pick<EndpointRow, 'blockedUntil' | 'lastSuccessAt'>>,
): Promise<EndpointRow> {
  const [row] = await tx.update(webhookEndpoints).set(change).where(eq(webhookEndpoints.id, id)).returning()
  if (!row) throw new Error(`The locked endpoint ${id} is gone.`)
  return row
}
