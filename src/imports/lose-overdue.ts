// Owns the deadline of imports that nobody may ask about, because their connection is paused or has to wait: no poll
// would see it pass.
import { sql } from 'drizzle-orm'
import type { Clock } from '../base/clock.ts'
import type { Database } from '../db/client.ts'
import type { ImportState } from '../model/import-state.ts'
import { recordLost } from './record.ts'

/** What one call ends at the most; the next one goes on. */
const batchSize = 200

/** Ends as `lost` what is past its deadline while it can't be asked about. Returns how many. */
export async function loseOverdue({ db, clock }: { db: Database; clock: Clock }): Promise<number> {
  const now = clock.now()
  const { rows } = await db.execute<Overdue>(sql`
    SELECT i.id, i.state, i.polls, c.id AS "connectionId", c.name, c.provider,
      CASE WHEN c.pause_reason = 'unauthorized' THEN 'unauthorized' ELSE 'deadline' END AS reason
    FROM connections c JOIN imports i ON i.connection_id = c.id
    WHERE (c.paused_at IS NOT NULL OR c.blocked_until > ${now}) AND i.next_poll_at IS NOT NULL AND i.poll_lease_until IS NULL
      AND i.deadline_at <= ${now} AND i.held_outcome IS NULL -- whose outcome was told: settle.ts
    LIMIT ${batchSize}`)
  let lost = 0
  for (const { id, state, polls, connectionId, name, provider, reason } of rows) {
    const seen = { importId: id, expectedPolls: polls, polledAt: now, from: state, failedCall: null }
    const connection = { id: connectionId, name, provider }
    const result = await recordLost(db, { ...seen, connection, reason, lastError: null, polls: 0 })
    if (result.kind === 'recorded') lost++
  }
  return lost
}

interface Overdue extends Record<string, unknown> {
  id: string
  state: ImportState
  polls: number
  connectionId: string
  name: string
  provider: string
  reason: 'unauthorized' | 'deadline'
}
