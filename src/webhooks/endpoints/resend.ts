// Owns between which times recovering and replaying look, and what both answer.
import { and, eq, isNull, type SQL, sql } from 'drizzle-orm'
import { z } from 'zod'
import { AppError, invalid, notFound } from '../../api/refusal.ts'
import { after, type Clock } from '../../base/clock.ts'
import { firstIdAt, isId } from '../../base/ids.ts'
import type { Transaction } from '../../db/client.ts'
import { webhookEndpoints } from '../../db/schema/index.ts'
import { logDays } from '../prune.ts'

/** What one call takes at the most. */
export const maxResent = 10_000

const moment = z.iso.datetime({ offset: true, error: 'must be a date and time as in ISO 8601' })

export const windowSchema = z
  .strictObject({
    since: moment.optional().describe('From this time on; absent: as far back as the log goes, 30 days.'),
    until: moment.optional().describe('Before this time; absent: until now.'),
    dryRun: z.boolean().default(false).describe('Only say how many there are.'),
  })
  .meta({ id: 'ResendWindow' })

export type WindowInput = z.infer<typeof windowSchema>

export const resentSchema = z
  .object({
    count: z.number().int().describe(`How many are due now, or would be: ${maxResent} at the most.`),
    more: z.boolean().describe('There are more: call again.'),
    dryRun: z.boolean(),
  })
  .meta({ id: 'Resent' })

export type Resent = z.infer<typeof resentSchema>

/**
 * Whether the moment that an id was made at is in the window.
 * @throws {AppError} invalid_request where the window ends before it begins.
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
 * Locks the endpoint so that it isn't disabled behind our back, and so that of two calls the second finds what the
 * first has left.
 * @throws {AppError} not_found; conflict where it is disabled, unless nothing is to be sent.
 */
export async function lockToResend(tx: Transaction, id: string, { dryRun }: WindowInput): Promise<void> {
  if (!isId(id)) throw notFound('webhook endpoint')
  const [row] = await tx
    .select({ disabledAt: webhookEndpoints.disabledAt })
    .from(webhookEndpoints)
    .where(and(eq(webhookEndpoints.id, id), isNull(webhookEndpoints.deletedAt)))
    .for('no key update')
  if (!row) throw notFound('webhook endpoint')
  if (row.disabledAt && !dryRun) throw new AppError('conflict', 'The endpoint is disabled; enable it first.')
}

/** What makes a delivery due now with its schedule from the beginning, behind first attempts. */
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
