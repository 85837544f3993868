// Owns the window of time that recovering and replaying share, and their answer.
import { and, eq, isNull, type SQL, sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Actor } from '../../actions/write.ts'
import { AppError, invalid, notFound } from '../../api/refusal.ts'
import { after, type Clock } from '../../base/clock.ts'
import { firstIdAt, isId } from '../../base/ids.ts'
import type { Transaction } from '../../db/client.ts'
import { webhookEndpoints } from '../../db/schema/index.ts'
import { logDays } from '../prune.ts'
import { writeEndpointAction } from './act.ts'

/** How many deliveries one call takes at most. */
export const maxResent = 10_000

const moment = z.iso.datetime({ offset: true, error: 'must be a date and time as in ISO 8601' })

export const windowSchema = z
  .strictObject({
    since: moment.optional().describe('From this time on. Absent: as far back as the log goes, 30 days.'),
    until: moment.optional().describe('Before this time. Absent: until now.'),
    dryRun: z.boolean().default(false).describe('Only counts them.'),
  })
  .meta({ id: 'ResendWindow' })

export type WindowInput = z.infer<typeof windowSchema>

export const resentSchema = z
  .object({
    count: z.number().int().describe(`How many are due now, or would be. At most ${maxResent}.`),
    more: z.boolean().describe('True: there are more, so call again.'),
    dryRun: z.boolean(),
  })
  .meta({ id: 'Resent' })

export type Resent = z.infer<typeof resentSchema>

/**
 * Returns SQL that is true if an id was made within the window.
 * @throws {AppError} `invalid_request` if the window ends before it begins.
 */
export function isWithin(id: SQL, { since, until }: WindowInput, { now }: Clock): SQL {
  const oldest = after(now(), -logDays * 86_400_000)
  const from = since === undefined ? oldest : new Date(Math.max(Date.parse(since), oldest.getTime()))
  const to = until === undefined ? null : new Date(until)
  if (to !== null && since !== undefined && Date.parse(since) >= to.getTime())
    throw invalid('until', 'must be later than since')
  return to === null
    ? sql`${id} >= ${firstIdAt(from)}`
    : sql`(${id} >= ${firstIdAt(from)} AND ${id} < ${firstIdAt(to)})`
}

/**
 * Locks the endpoint, so that nobody disables it meanwhile, and a second call finds only what the first has left.
 * @throws {AppError} `not_found`; `conflict` if it is disabled, except for a dry run.
 */
export async function lockToResend(
  tx: Transaction,
  id: string,
  { dryRun }: WindowInput,
): Promise<{ id: string; url: string }> {
  if (!isId(id)) throw notFound('webhook endpoint')
  const [row] = await tx
    .select({ id: webhookEndpoints.id, url: webhookEndpoints.url, disabledAt: webhookEndpoints.disabledAt })
    .from(webhookEndpoints)
    .where(and(eq(webhookEndpoints.id, id), isNull(webhookEndpoints.deletedAt)))
    .for('no key update')
  if (!row) throw notFound('webhook endpoint')
  if (row.disabledAt && !dryRun) throw new AppError('conflict', 'The endpoint is disabled; enable it first.')
  return row
}

/** Returns the columns that make a delivery due now, behind first attempts, with its schedule from the beginning. */
export function begunAnew(now: Date): SQL {
  return sql`
    state = 'pending',
    next_attempt_at = ${now},
    is_retry = true,
    earlier_attempts = earlier_attempts + attempts + manual_attempts,
    attempts = 0,
    manual_attempts = 0`
}

export function resent(found: number, { dryRun }: WindowInput): Resent {
  return { count: Math.min(found, maxResent), more: found > maxResent, dryRun }
}

/** Writes down that deliveries were made due, if any were, and returns their count. */
export async function told(
  tx: Transaction,
  by: Actor,
  endpoint: { id: string; url: string },
  {
    verb,
    at,
    input,
    resent,
  }: { verb: 'endpoint.recover' | 'endpoint.replay'; at: Date; input: WindowInput; resent: Resent },
): Promise<Resent> {
  const { since, until } = input
  const { count, more, dryRun } = resent
  if (!dryRun && count > 0)
    await writeEndpointAction(tx, by, endpoint, { at, verb, details: { since, until, count, more } })
  return resent
}
