// Owns deleting the events of an import, with what was told of them.
import { type SQL, sql } from 'drizzle-orm'
import type { Transaction } from '../db/client.ts'
import { holdPositions } from './feed.ts'

/**
 * Deletes them with their deliveries and attempts, those under way, too: their outcome is written nowhere. The caller
 * has the import locked, so that no event of it is being written.
 */
export async function deleteEventsOf(tx: Transaction, importId: string): Promise<void> {
  // Locked in the order in which all do it: endpoints, events, deliveries, each by id. Writers of events go on: they
  // lock endpoints FOR KEY SHARE.
  await tx.execute(sql`
    SELECT FROM webhook_endpoints
    WHERE id IN (
      SELECT endpoint_id FROM deliveries WHERE event_id IN (SELECT id FROM events WHERE import_id = ${importId})
    )
    ORDER BY id FOR NO KEY UPDATE`)
  await holdPositions(tx)
  const events = await lock(sql`events WHERE import_id = ${importId}`)
  // Each in a statement of its own, which sees what was committed while the one before it waited.
  const deliveries = await lock(sql`deliveries WHERE event_id = ANY (${events})`)
  await tx.execute(sql`DELETE FROM deliveries WHERE id = ANY (${deliveries})`)
  await tx.execute(sql`DELETE FROM delivery_attempts WHERE delivery_id = ANY (${deliveries})`)
  await tx.execute(sql`
    INSERT INTO deleted_events (id, position)
    SELECT id, position FROM events WHERE id = ANY (${events}) AND position IS NOT NULL`)
  await tx.execute(sql`DELETE FROM events WHERE id = ANY (${events})`)

  async function lock(which: SQL): Promise<SQL> {
    const { rows } = await tx.execute<{ id: string }>(sql`SELECT id FROM ${which} ORDER BY id FOR UPDATE`)
    return sql`${sql.param(rows.map(({ id }) => id))}::uuid[]`
  }
}
