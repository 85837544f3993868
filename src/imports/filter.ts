// Owns which imports a list or an action is about: the filter, and the SQL of its conditions.
import { type SQL, sql } from 'drizzle-orm'
import { isStorableNumber } from '../base/json.ts'
import type { Attention, ImportState } from '../model/import-state.ts'

/** Absent fields allow everything. All given ones have to hold. */
export interface ImportFilter {
  ids?: readonly string[] | undefined
  /** The connection's name. Deleted connections of this name count, too. */
  connection?: string | undefined
  provider?: string | undefined
  /** One of these. */
  state?: readonly ImportState[] | undefined
  jobId?: string | undefined
  /** The beginning of the job id. */
  jobIdPrefix?: string | undefined
  attention?: Attention | undefined
  /** Top-level keys, each with its scalar's text: `42` is the number 42 and the string "42". */
  metadata?: Readonly<Record<string, string>> | undefined
  /** Inclusive, as `finishedAfter` is. */
  registeredAfter?: Date | undefined
  /** Exclusive, as `finishedBefore` is. */
  registeredBefore?: Date | undefined
  finishedAfter?: Date | undefined
  finishedBefore?: Date | undefined
}

/** The clocks of two processes may differ by this much at most. */
const clocksDifferMs = 60_000

/** Returns the conditions on `imports i` that equality or the order of lists serves. */
export function orderedConditions(filter: ImportFilter): SQL[] {
  const { ids, state, jobId, attention, registeredAfter, registeredBefore, finishedAfter, finishedBefore } = filter
  const conditions: SQL[] = []
  if (ids !== undefined) conditions.push(sql`i.id = ANY(${sql.param(ids)}::uuid[])`)
  if (state?.length === 1) conditions.push(sql`i.state = ${state[0]}`)
  else if (state !== undefined) conditions.push(sql`i.state = ANY(${sql.param(state)}::text[])`)
  if (jobId !== undefined) conditions.push(sql`i.job_id = ${jobId}`)
  if (attention !== undefined) conditions.push(sql`i.attention = ${attention}`)
  if (registeredAfter !== undefined) conditions.push(sql`i.registered_at >= ${registeredAfter}`)
  if (registeredBefore !== undefined) conditions.push(sql`i.registered_at < ${registeredBefore}`)
  if (finishedAfter !== undefined) conditions.push(sql`i.finished_at >= ${finishedAfter}`)
  if (finishedBefore !== undefined) {
    conditions.push(sql`i.finished_at < ${finishedBefore}`)
    // What ended by then was registered by then, which spares a list the newer ones.
    conditions.push(sql`i.registered_at < ${new Date(finishedBefore.getTime() + clocksDifferMs)}`)
  }
  return conditions
}

export interface UnorderedConditions {
  /** Served by an index of their own. */
  indexed: SQL[]
  /** The same, so that no such index is used. */
  checked: SQL[]
}

/**
 * Returns the conditions whose indexes don't give the order of lists. Null: the filter has none. Postgres can't know how
 * many imports they match: job ids and metadata mean something to their owners only.
 */
export function unorderedConditions({ jobIdPrefix = '', metadata = {} }: ImportFilter): UnorderedConditions | null {
  const pairs = Object.entries(metadata)
  if (jobIdPrefix === '' && pairs.length === 0) return null
  const indexed = pairs.map(([key, text]) => holds(key, text))
  const checked = pairs.map(([key, text]) => shows(key, text))
  if (jobIdPrefix !== '') {
    indexed.push(sql`i.job_id LIKE ${`${jobIdPrefix.replaceAll(/[\\%_]/g, '\\$&')}%`}`)
    checked.push(sql`left(i.job_id, ${[...jobIdPrefix].length}) = ${jobIdPrefix}`)
  }
  return { indexed, checked }
}

const number = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d{1,4})?$/

/** A value that contains the other scalar as well: 42 is contained in 42.0, whose text is another one. */
function holds(key: string, text: string): SQL {
  const asText = sql`i.metadata @> ${JSON.stringify({ [key]: text })}::jsonb`
  if (!isScalar(text)) return asText
  const asScalar = sql`i.metadata @> ${`{${JSON.stringify(key)}: ${text}}`}::jsonb`
  return sql`(${asText} OR (${asScalar} AND coalesce(i.metadata->>${key}, 'null') = ${text}))`
}

function shows(key: string, text: string): SQL {
  return sql`(coalesce(i.metadata->>${key}, 'null') = ${text} AND i.metadata ? ${key}
    AND jsonb_typeof(i.metadata->${key}) NOT IN ('object', 'array'))`
}

function isScalar(text: string): boolean {
  if (text === 'true' || text === 'false' || text === 'null') return true
  return number.test(text) && isStorableNumber({ rawJSON: text })
}
