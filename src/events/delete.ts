// Owns deleting the events of an import with their deliveries.
import { type SQL, sql } from 'drizzle-orm'
import type { Transaction } from '../db/client.ts'
import { holdPositions } from './feed.ts'

/**
 * Deletes the events with their deliveries and attempts. The outcome of an attempt under way is then stored nowhere.
 * The caller has locked the import, so that no event of it is being written.
 */
export async function deleteEventsOf(tx: Transaction, importId: string): Promise<void> {
  // Locks in the order that all code keeps: endpoints, events, deliveries, each by id. Writers of events go on, because
  // they lock endpoints FOR KEY SHARE.
  await tx.execute(sql`
    /* event.lock_endpoints */
    SELECT FROM webhook_endpoints
    WHERE id IN (
      SELECT endpoint_id FROM deliveries WHERE event_id IN (SELECT id FROM events WHERE import_id = ${importId})
    )
    ORDER BY id FOR NO KEY UPDATE`)
  await holdPositions(tx)
  const events = await lock(sql`events WHERE import_id = ${importId}`)
  // Each lock is a statement of its own, which sees what committed while the one before it waited.
  const deliveries = await lock(sql`deliveries WHERE event_id = ANY (${events})`)
  await tx.execute(sql`/* event.delete_deliveries */ DELETE FROM deliveries WHERE id = ANY (${deliveries})`)
  await tx.execute(
    sql`/* event.delete_attempts */ DELETE FROM delivery_attempts WHERE delivery_id = ANY (${deliveries})`,
  )
  await tx.execute(sql`
    /* event.keep_positions */
    INSERT INTO deleted_events (id, position)
    SELECT id, position FROM events WHERE id = ANY (${events}) AND position IS NOT NULL`)
  await tx.execute(sql`/* event.delete */ DELETE FROM events WHERE id = ANY (${events})`)

  async function lock(which: SQL): Promise<SQL> {
    const { rows } = await tx.execute<{ id: string }>(
      sql`/* event.lock */ SELECT id FROM ${which} ORDER BY id FOR UPDATE`,
    )
    return sql`${sql.param(rows.map(({ id }) => id))}::uuid[]`
  }
}
