// Owns pausing and resuming a connection. Both write an event in the same transaction, and only if they changed
// something. refusals.ts owns when to pause.
import { eq } from 'drizzle-orm'
import { after } from '../base/clock.ts'
import type { Transaction } from '../db/client.ts'
import { connections } from '../db/schema/index.ts'
import { writeEvent } from '../events/write.ts'
import { effectiveLimits } from '../model/limits.ts'
import { defaultsOf } from '../providers/facts.ts'
import type { ConnectionRow, PauseReason } from './present.ts'
import { showConnection } from './show.ts'
import { spreadMs } from './spread.ts'

/** How often one poll or collection tries the credentials of a paused connection. */
export const probeIntervalMs = 3 * 60_000

/**
 * Pauses a connection that the caller has locked and that isn't paused. Its imports wait, except for one probe at
 * `nextProbeAt`.
 */
export async function pauseConnection(
  tx: Transaction,
  pause: { connectionId: string; reason: PauseReason; now: Date; nextProbeAt: Date },
): Promise<void> {
  const { connectionId, reason, now, nextProbeAt } = pause
  const row = await set(tx, connectionId, { pausedAt: now, pauseReason: reason, nextProbeAt })
  await tell(tx, 'connection.paused', row, now)
}

/**
 * Resumes a paused connection. A connection that isn't paused stays as it is. After a probe the imports are spread,
 * because nobody waits for them.
 */
export async function resumeConnection(
  tx: Transaction,
  { connectionId, now, by }: { connectionId: string; now: Date; by: 'probe' | 'somebody' },
): Promise<ConnectionRow> {
  const old = await lockConnection(tx, connectionId)
  if (old.pausedAt === null) return old
  const { maxIntervalMs } = effectiveLimits(defaultsOf(old), old.limits)
  const pausedMs = now.getTime() - old.pausedAt.getTime()
  const spread = by === 'probe' && { spreadFrom: now, spreadUntil: after(now, spreadMs(pausedMs, { maxIntervalMs })) }
  const asking = { pausedAt: null, pauseReason: null, nextProbeAt: null, refusedSince: null, ...spread }
  const row = await set(tx, connectionId, asking)
  await tell(tx, 'connection.resumed', row, now)
  return row
}

export async function lockConnection(tx: Transaction, connectionId: string): Promise<ConnectionRow> {
  const [row] = await tx.select().from(connections).where(eq(connections.id, connectionId)).for('no key update')
  if (!row) throw new Error(`There is no connection ${connectionId}.`)
  return row
}

async function set(tx: Transaction, connectionId: string, change: Partial<ConnectionRow>): Promise<ConnectionRow> {
  const [row] = await tx.update(connections).set(change).where(eq(connections.id, connectionId)).returning()
  if (!row) throw new Error(`The locked connection ${connectionId} is gone.`)
  return row
}

async function tell(
  tx: Transaction,
  type: 'connection.paused' | 'connection.resumed',
  row: ConnectionRow,
  now: Date,
): Promise<void> {
  await writeEvent(tx, {
    type,
    importId: null,
    connectionId: row.id,
    connectionName: row.name,
    provider: row.provider,
    occurredAt: now,
    data: await showConnection(tx, row, now),
  })
}
