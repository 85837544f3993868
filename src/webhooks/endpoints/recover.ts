// Owns sending failed deliveries of a span of time again, for instance after an outage of the receiver.
import { sql } from 'drizzle-orm'
import type { Acting } from '../../actions/write.ts'
import type { Clock } from '../../base/clock.ts'
import type { Database } from '../../db/client.ts'
import { begunAnew, isWithin, lockToResend, maxResent, type Resent, resent, told, type WindowInput } from './resend.ts'

/**
 * Makes failed deliveries of the window due now: exhausted ones, and those that wait for a retry, which may be a day
 * away. Each begins its schedule again, with the same id and body.
 * @throws {AppError} `not_found`; `conflict` while the endpoint is disabled; `invalid_request`
 */
export async function recoverEndpoint(
  { db, clock, by }: { db: Database; clock: Clock } & Acting,
  id: string,
  input: WindowInput,
): Promise<Resent> {
  const now = clock.now()
  const within = isWithin(sql`id`, input, clock)
  return db.transaction(async (tx) => {
    const endpoint = await lockToResend(tx, id, input)
    const failed = sql`
      /* delivery.find_failed */
      SELECT id FROM (
        SELECT id FROM deliveries WHERE endpoint_id = ${id} AND state = 'exhausted' AND ${within} AND next_attempt_at IS NULL
        UNION ALL
        SELECT id FROM deliveries WHERE endpoint_id = ${id} AND state = 'pending' AND ${within}
          AND is_retry AND attempts > 0 AND next_attempt_at > ${now}
      ) failed ORDER BY id LIMIT ${maxResent + 1}`
    const found = (await tx.execute<{ id: string }>(failed)).rows.map((row) => row.id)
    if (!input.dryRun)
      await tx.execute(sql`
        /* delivery.recover */
        UPDATE deliveries SET ${begunAnew(now)}
        WHERE id = ANY(${sql.param(found.slice(0, maxResent))}::uuid[]) AND (
          (state = 'exhausted' AND next_attempt_at IS NULL) OR (state = 'pending' AND attempts > 0 AND next_attempt_at > ${now})
        )`)
    return told(tx, by, endpoint, { verb: 'endpoint.recover', at: now, input, resent: resent(found.length, input) })
  })
}
