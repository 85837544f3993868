// Owns finding the imports of a filter in the order of lists, at any number of imports: each filter has an index, and no
// table is read as a whole.
import { and, eq, type SQL, sql } from 'drizzle-orm'
import type { Database, Transaction } from '../db/client.ts'
import { connections } from '../db/schema/index.ts'
import type { ImportState } from '../model/import-state.ts'
import { endedAfter } from './ended-after.ts'
import { type ImportFilter, orderedConditions, unorderedConditions } from './filter.ts'

export const orders = ['newest', 'oldest'] as const
/** By the time of registration. */
export type ImportOrder = (typeof orders)[number]

/** The place of an import in a list: when it was registered, ISO 8601, and its id. */
export type ImportKey = readonly [registeredAt: string, id: string]

export interface Search {
  filter: ImportFilter
  order: ImportOrder
  /** Only imports behind this one. Null: from the first on. */
  behind: ImportKey | null
  limit: number
  /** A further condition on `imports i`. */
  where?: SQL
}

/** How many imports are looked at, in the order of the list, before the matches are looked up and sorted. */
const lookedAt = 20_000

/**
 * Returns the ids of the first imports that match, in order. Postgres doesn't know how many imports have a metadata or a
 * beginning of a job id. Of many, the page is soon met in the order of the list; few are soon sorted.
 */
export async function findImports({ db }: { db: Database | Transaction }, search: Search): Promise<string[]> {
  const owners = await connectionsOf(db, search.filter)
  if (owners?.length === 0) return []
  const unordered = unorderedConditions(search.filter)
  if (unordered === null) return idsOf(await db.execute<Found>(inOrder(search, owners)))
  const near = idsOf(await db.execute<Found>(nearby(search, owners, unordered.checked)))
  return near.length === search.limit ? near : idsOf(await db.execute<Found>(sorted(search, owners, unordered.indexed)))
}

/** Returns how many imports match, up to `upTo`. */
export async function countImports({ db }: { db: Database }, filter: ImportFilter, upTo: number): Promise<number> {
  const matching = await someOf(db, filter, upTo)
  if (matching === null) return 0
  const { rows } = await db.execute<{ count: number }>(sql`
    /* import.count_matching */
    SELECT count(*)::int AS count FROM (${matching}) found`)
  return rows[0]?.count ?? 0
}

/** Returns how many imports of each state match, of `upTo` that do. */
export async function countImportsByState(
  { db }: { db: Database },
  filter: ImportFilter,
  upTo: number,
): Promise<Map<ImportState, number>> {
  const matching = await someOf(db, filter, upTo)
  if (matching === null) return new Map()
  const { rows } = await db.execute<{ state: ImportState; count: number }>(sql`
    /* import.count_matching_by_state */
    SELECT i.state, count(*)::int AS count FROM (${matching}) found JOIN imports i ON i.id = found.id GROUP BY i.state`)
  return new Map(rows.map(({ state, count }) => [state, count]))
}

/** Returns as many matches as are counted at most, in whatever order is the quickest. Null: no connection matches. */
async function someOf(db: Database, filter: ImportFilter, limit: number): Promise<SQL | null> {
  const search: Search = { filter, order: 'newest', behind: null, limit }
  const owners = await connectionsOf(db, filter)
  if (owners?.length === 0) return null
  const unordered = unorderedConditions(filter)
  return unordered === null ? inOrder(search, owners) : unsorted(search, owners, unordered.indexed)
}

interface Found extends Record<string, unknown> {
  id: string
}

function idsOf({ rows }: { rows: Found[] }): string[] {
  return rows.map(({ id }) => id)
}

/** Null: of every connection. */
async function connectionsOf(
  db: Database | Transaction,
  { connection, provider }: ImportFilter,
): Promise<string[] | null> {
  if (connection === undefined && provider === undefined) return null
  const rows = await db
    .select({ id: connections.id })
    .from(connections)
    .where(
      and(
        connection === undefined ? undefined : eq(connections.name, connection),
        provider === undefined ? undefined : eq(connections.provider, provider),
      ),
    )
  return rows.map(({ id }) => id)
}

/**
 * Reads an index in the order of the list. Of several connections, or several states, each is read by itself and only as
 * far as the page needs. So is each class of durations, where only the end is known (ended-after.ts).
 */
function inOrder(search: Search, owners: readonly string[] | null): SQL {
  const { filter, limit } = search
  const { state, ...others } = filter
  const split = splitOf(search, owners)
  const conditions = [
    ...orderedConditions(split?.by === 'state' ? others : filter),
    ...(split?.by === 'connection' ? [] : ownedBy(owners)),
    ...boundsOf(search),
  ]
  const one = (alone: readonly SQL[]) => sql`
    SELECT i.id, i.registered_at FROM imports i WHERE ${all([...alone, ...conditions])}
    ORDER BY ${orderOf(search, sql`i.`)} LIMIT ${limit}`
  if (split === null) return sql`/* import.find */ ${one([])}`
  return sql`
    /* import.find */
    SELECT found.id FROM ${split.values} AS part (value) CROSS JOIN LATERAL (${one([split.is])}) found
    ORDER BY ${orderOf(search, sql`found.`)} LIMIT ${limit}`
}

function splitOf({ filter, order }: Search, owners: readonly string[] | null) {
  const { state, finishedAfter, ids, jobId, attention } = filter
  const isOfFew = owners !== null || ids !== undefined || jobId !== undefined || attention !== undefined
  if (finishedAfter !== undefined && order === 'oldest' && !isOfFew) return endedAfter(finishedAfter)
  if (owners !== null && owners.length > 1)
    return {
      by: 'connection' as const,
      values: sql`unnest(${sql.param(owners)}::uuid[])`,
      is: sql`i.connection_id = part.value`,
    }
  if (owners === null && state !== undefined && state.length > 1)
    return {
      by: 'state' as const,
      values: sql`unnest(${sql.param([...new Set(state)])}::text[])`,
      is: sql`i.state = part.value`,
    }
  return null
}

/** Looks for matches among the first imports of the list. */
function nearby(search: Search, owners: readonly string[] | null, checked: readonly SQL[]): SQL {
  const { registeredAfter, registeredBefore, ...others } = search.filter
  const { where, ...place } = search
  const isOfOne = owners?.length === 1
  const first = [
    ...orderedConditions({ registeredAfter, registeredBefore }),
    ...(isOfOne ? ownedBy(owners) : []),
    ...boundsOf(place),
  ]
  const rest = [
    ...orderedConditions(others),
    ...(isOfOne ? [] : ownedBy(owners)),
    ...(where ? [where] : []),
    ...checked,
  ]
  return sql`
    /* import.find_near */
    SELECT i.id FROM (
      SELECT i.* FROM imports i WHERE ${all(first)} ORDER BY ${orderOf(search, sql`i.`)} LIMIT ${lookedAt}
    ) i WHERE ${all(rest)} LIMIT ${search.limit}`
}

/**
 * Looks matches up by their indexes, until there are enough. Job ids are read in the order of their index: otherwise
 * Postgres could read the table.
 */
function unsorted({ filter, limit }: Search, owners: readonly string[] | null, indexed: readonly SQL[]): SQL {
  const conditions = [...indexed, ...orderedConditions(filter), ...ownedBy(owners)]
  const order = filter.jobIdPrefix ? sql`ORDER BY i.job_id USING ~<~` : sql``
  return sql`SELECT i.id FROM imports i WHERE ${all(conditions)} ${order} LIMIT ${limit}`
}

/** Looks all matches up, then sorts them. OFFSET keeps Postgres from reading the order of the list instead. */
function sorted(search: Search, owners: readonly string[] | null, indexed: readonly SQL[]): SQL {
  const conditions = [...indexed, ...orderedConditions(search.filter), ...ownedBy(owners), ...boundsOf(search)]
  return sql`
    /* import.find_all */
    SELECT m.id FROM (SELECT i.id, i.registered_at FROM imports i WHERE ${all(conditions)} OFFSET 0) m
    ORDER BY ${orderOf(search, sql`m.`)} LIMIT ${search.limit}`
}

function ownedBy(owners: readonly string[] | null): SQL[] {
  if (owners === null) return []
  if (owners.length === 1) return [sql`i.connection_id = ${owners[0]}::uuid`]
  return [sql`i.connection_id = ANY(${sql.param(owners)}::uuid[])`]
}

function boundsOf({ behind, order, where }: Search): SQL[] {
  const further = where === undefined ? [] : [where]
  if (behind === null) return further
  const beyond = order === 'newest' ? sql`<` : sql`>`
  return [sql`(i.registered_at, i.id) ${beyond} (${behind[0]}::timestamptz, ${behind[1]}::uuid)`, ...further]
}

function orderOf({ order }: Search, table: SQL): SQL {
  const direction = order === 'newest' ? sql`DESC` : sql`ASC`
  return sql`${table}registered_at ${direction}, ${table}id ${direction}`
}

function all(conditions: readonly SQL[]): SQL {
  return conditions.length === 0 ? sql`true` : sql.join([...conditions], sql` AND `)
}
