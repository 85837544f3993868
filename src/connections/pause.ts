// Owns pausing a connection whose credentials are refused, and letting it ask again. Both tell about it in the
// same transaction, and only when something changed.
import { eq } from 'drizzle-orm'
import type { Transaction } from '../db/client.ts'
import { connections } from '../db/schema/index.ts'
import { writeEvent } from '../webhooks/events.ts'
import { type ConnectionRow, presentConnection } from './present.ts'

/** While a connection is paused, how often one import asks whether the credentials work again. */
export const probeIntervalMs = 3 * 60_000

/**
 * Pauses a connection because the provider said 401 or 403: its imports wait, but for one probe at `nextProbeAt`.
 * A connection that is paused already only gets the new time of its probe. One that was put again since (`updatedAt` is
 * when it was put, as far as the asker knew) stays as it is: other credentials were refused.
 * @returns whether it is paused since now.
 */
export async function pauseConnection(
  tx: Transaction,
  {
    connectionId,
    updatedAt,
    now,
    nextProbeAt,
  }: { connectionId: string; updatedAt: Date; now: Date; nextProbeAt: Date },
): Promise<boolean> {
  const old = await lock(tx, connectionId)
  if (old.updatedAt > updatedAt) return false
  const wasPaused = old.pausedAt !== null
  const row = await set(tx, connectionId, { pausedAt: old.pausedAt ?? now, nextProbeAt })
  if (!wasPaused) await tell(tx, 'connection.paused', row, now)
  return !wasPaused
}

/** Lets a paused connection ask again. One that isn't paused stays as it is. */
export async function resumeConnection(
  tx: Transaction,
  { connectionId, now }: { connectionId: string; now: Date },
): Promise<ConnectionRow> {
  const old = await lock(tx, connectionId)
  if (old.pausedAt === null) return old
  const row = await set(tx, connectionId, { pausedAt: null, nextProbeAt: null })
  await tell(tx, 'connection.resumed', row, now)
  return row
}

async function lock(tx: Transaction, connectionId: string): Promise<ConnectionRow> {
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
    data: presentConnection(row),
  })
}
