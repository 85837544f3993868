// Owns what this process knows of baselines. The rows of a connection are read when they have changed, not for each
// poll.
import { sql } from 'drizzle-orm'
import type { Database, Transaction } from '../db/client.ts'
import { unnest } from '../db/unnest.ts'
import { type Baseline, baselineOf } from './baseline.ts'
import { median, type Prior, spreadOf } from './durations.ts'
import { type History, noHistory } from './history.ts'
import { everyImport, leastOfKind } from './kind.ts'

/** A connection whose imports are asked about. */
export interface Asked {
  id: string
  provider: { name: string; durationPrior: Prior | null }
  /** The revision of its baseline. Null: it has none yet. */
  revision: number | null
}

/** What is known of a connection's imports. */
export interface Usual {
  ofConnection: Baseline
  /** Returns the baseline of a kind, or else that of the connection. */
  of(kind: string): Baseline
}

export interface Baselines {
  /** Returns what is known of each of these connections. Reads those that have changed. */
  read(db: Database | Transaction, asked: readonly Asked[], now: Date): Promise<Map<string, Usual>>
}

/** Imports may end many times a second. A baseline that is so old is still as good. */
const goodForMs = 1_000
/** How long what is known of a vendor's connections is taken to be so. */
const vendorGoodForMs = 60_000
const mostKept = 4_000
/** Of a vendor's connections, so many are looked at: those whose imports ended last. */
const mostOfVendor = 200

interface Known extends Usual {
  revision: number | null
  madeAt: number
  histories: ReadonlyMap<string, History>
}

interface OfVendor {
  madeAt: number
  connections: readonly { id: string; medianMs: number; spread: number }[]
}

export function createBaselines(): Baselines {
  const known = new Map<string, Known>()
  const vendors = new Map<string, OfVendor>()

  function isGood({ id, revision }: Asked, now: number): boolean {
    const one = known.get(id)
    if (one === undefined) return false
    const ageMs = Math.abs(now - one.madeAt)
    if (one.revision === null && ageMs >= vendorGoodForMs) return false
    return one.revision === revision || (ageMs < goodForMs && one.revision !== null)
  }

  async function vendorOf(db: Database | Transaction, provider: string, now: number): Promise<OfVendor> {
    const kept = vendors.get(provider)
    if (kept && Math.abs(now - kept.madeAt) < vendorGoodForMs) return kept
    const { rows } = await db.execute<{ id: string; medianMs: number; spread: number }>(sql`
      /* baseline.of_vendor */
      SELECT b.connection_id AS id, b.median_ms::float8 AS "medianMs", b.spread
      FROM baselines b JOIN connections c ON c.id = b.connection_id
      WHERE c.provider = ${provider} AND b.kind = ${everyImport}
      ORDER BY b.learnt_at DESC LIMIT ${mostOfVendor}`)
    const read = { madeAt: now, connections: rows }
    vendors.set(provider, read)
    return read
  }

  return {
    async read(db, asked, now) {
      const at = now.getTime()
      let stale = asked.filter((one) => !isGood(one, at))
      if (known.size + stale.length > mostKept) {
        known.clear()
        stale = [...asked]
      }
      const before = new Map(stale.map((one) => [one.id, stillSo(known.get(one.id), one)]))
      const changed = await readChanged(db, stale, before)
      for (const { id, revision, provider } of stale) {
        const { connections } = await vendorOf(db, provider.name, at)
        const others = connections.filter((other) => other.id !== id)
        const histories = new Map([...(before.get(id)?.histories ?? []), ...(changed.get(id) ?? [])])
        const usual = usualOf(histories, priorOf(others) ?? provider.durationPrior)
        known.set(id, { revision, madeAt: at, histories, ...usual })
      }
      return known
    },
  }
}

/** Returns undefined if the rows are older than what is known: they were deleted, or the database was restored. */
function stillSo(known: Known | undefined, { revision }: Asked): Known | undefined {
  const isSo = known?.revision != null && revision !== null && revision >= known.revision
  return isSo ? known : undefined
}

/** Returns the histories that have changed, by connection and kind. */
async function readChanged(
  db: Database | Transaction,
  stale: readonly Asked[],
  before: ReadonlyMap<string, Known | undefined>,
): Promise<Map<string, Map<string, History>>> {
  const found = new Map<string, Map<string, History>>()
  const wanted = stale.flatMap(({ id, revision }) =>
    revision === null ? [] : { ofConnection: id, after: before.get(id)?.revision ?? 0 },
  )
  if (wanted.length === 0) return found
  const { rows } = await db.execute<{ id: string; kind: string; history: History }>(sql`
    /* baseline.changed */
    SELECT connection_id AS id, kind, history FROM ${unnest('wanted', wanted, { ofConnection: 'uuid', after: 'int' })}
    JOIN baselines ON connection_id = of_connection AND revision > after`)
  for (const { id, kind, history } of rows) found.set(id, (found.get(id) ?? new Map()).set(kind, history))
  return found
}

function usualOf(histories: ReadonlyMap<string, History>, prior: Prior | null): Usual {
  const whole = histories.get(everyImport) ?? noHistory
  const ofConnection = baselineOf(whole, prior)
  const made = new Map<string, Baseline>()
  return {
    ofConnection,
    of(kind) {
      const history = kind === everyImport ? undefined : histories.get(kind)
      if (history === undefined || history.ended < leastOfKind) return ofConnection
      const baseline = made.get(kind) ?? baselineOf(asOfConnection(history, whole))
      made.set(kind, baseline)
      return baseline
    },
  }
}

/** Progress is the vendor's own, whatever the kind, so that the whole connection's says more about it. */
function asOfConnection(history: History, { progressErrors, progressScore }: History): History {
  return { ...history, progressErrors, progressScore }
}

/** What imports of several connections, each with a median and a spread, say about those of another one. */
function priorOf(connections: readonly { medianMs: number; spread: number }[]): Prior | null {
  if (connections.length === 0) return null
  const logs = connections.map(({ medianMs }) => Math.log(medianMs))
  const within = connections.reduce((sum, { spread }) => sum + spread ** 2, 0) / connections.length
  // One connection alone doesn't tell how far others are from it.
  const between = connections.length === 1 ? 0.25 : spreadOf(logs) ** 2
  return { medianMs: Math.exp(median(logs)), sigma: Math.min(Math.max(Math.sqrt(within + between), 0.2), 2) }
}
