// Owns storing the results of a round of attempts: the outcome, the next due time, and what it means for the endpoints.
//
// All code locks endpoints before deliveries, and deliveries before attempts, each by id.
import { inArray, sql } from 'drizzle-orm'
import type { Encryption } from '../base/encryption.ts'
import { arrayLiteral, textArrayLiteral } from '../db/array-literal.ts'
import type { Transaction } from '../db/client.ts'
import { deliveries } from '../db/schema/index.ts'
import { isExhaustionTold } from '../model/event-types.ts'
import { presentDelivery } from '../webhooks/deliveries/present.ts'
import { writeExhausted } from '../webhooks/endpoints/events.ts'
import { type EndpointChange, type NotedHealth, noteHealth } from './apply-health.ts'
import { judge, type Verdict } from './judge.ts'
import type { Delivered } from './work.ts'
import { writeOutcomes } from './write-outcome.ts'

export interface RecordDeps {
  encryption: Encryption
  /** Returns a number in [0, 1), for the jitter. */
  random: () => number
  /** When this process last recorded a failure of an endpoint. */
  lastFailures?: Map<string, Date>
}

/** A recorded attempt. */
export interface Noted {
  delivered: Delivered
  verdict: Verdict
  endpointChange: EndpointChange
}

/** An attempt with its verdict. */
export interface Judged {
  delivered: Delivered
  verdict: Verdict
  /** The verdict that stands if the endpoint changed since the attempt began. */
  ordinary(): Verdict
}

/** Finishes the attempts' rows, and sets when their deliveries are due next. */
export async function recordAttempts(
  tx: Transaction,
  round: readonly Delivered[],
  deps: RecordDeps,
): Promise<{ noted: Noted[]; hasEvents: boolean }> {
  if (round.length === 0) return { noted: [], hasEvents: false }
  const judged = await judgeRound(tx, round, deps)
  const health = await noteHealth(tx, judged, deps.lastFailures)
  const exhausted = await writeOutcomes(tx, health)
  const rows = await readDeliveries(tx, exhausted)
  let hasEvents = false
  const noted: Noted[] = []
  for (const one of health) {
    const { delivered, verdict } = one
    const row = rows.get(delivered.item.id)
    if (row && (await tellExhausted(tx, deps, one, row))) hasEvents = true
    const endpointChange = await one.tell(deps.encryption)
    if (endpointChange !== null) hasEvents = true
    noted.push({ delivered, verdict, endpointChange })
  }
  return { noted, hasEvents }
}

async function judgeRound(tx: Transaction, round: readonly Delivered[], { random }: RecordDeps): Promise<Judged[]> {
  const blocked = await blockedAttempts(tx, round)
  return round.map((delivered) => {
    const { item, result } = delivered
    const history = { attempts: item.attempts, blockedAttempts: blocked.get(item.id) ?? 0 }
    return {
      delivered,
      verdict: judge(result, history, random),
      ordinary: () => judge({ ...result, status: null }, history, random),
    }
  })
}

/** Returns how many automatic attempts of each delivery's schedule found a blocked address, including these. */
async function blockedAttempts(tx: Transaction, round: readonly Delivered[]): Promise<Map<string, number>> {
  const blocked = round.flatMap(({ item, result }) =>
    result.outcome === 'blocked_address' && !item.manual ? [item] : [],
  )
  if (blocked.length === 0) return new Map()
  const { rows } = await tx.execute<{ id: string; count: number }>(sql`
    /* deliver.blocked */
    SELECT of.id, (
      SELECT count(*)::int FROM delivery_attempts
      WHERE delivery_id = of.id AND number > of.earlier AND outcome = 'blocked_address' AND NOT manual
    ) + 1 AS count
    FROM unnest(
      ${textArrayLiteral(blocked.map(({ id }) => id))}::uuid[],
      ${arrayLiteral(blocked.map(({ earlierAttempts }) => earlierAttempts))}::int[]
    ) AS of (id, earlier)`)
  return new Map(rows.map(({ id, count }) => [id, count]))
}

type DeliveryRow = typeof deliveries.$inferSelect

async function readDeliveries(tx: Transaction, ids: readonly string[]): Promise<Map<string, DeliveryRow>> {
  if (ids.length === 0) return new Map()
  const rows = await tx
    .select()
    .from(deliveries)
    .where(inArray(deliveries.id, [...ids]))
  return new Map(rows.map((row) => [row.id, row]))
}

/** Returns true if it wrote an event. */
async function tellExhausted(
  tx: Transaction,
  { encryption }: RecordDeps,
  { delivered: { item, endedAt }, endpoint }: NotedHealth,
  row: DeliveryRow,
): Promise<boolean> {
  if (endpoint === null || endpoint.deletedAt || !isExhaustionTold(item.event.type)) return false
  const delivery = presentDelivery({ ...row, type: item.event.type })
  await writeExhausted(tx, encryption, { delivery, endpoint, now: endedAt })
  return true
}
