// Owns the schema of the queue's own tables in Postgres, which BullMQ keeps.
import { assertSchemaCompatibility, runMigrations } from 'bullmq'
import type { Pool } from 'pg'

/** The schema that BullMQ uses unless it builds the pool itself. */
export const queueSchema = 'bullmq'

/** Applies what is missing; safe to run by several processes at once. */
export async function migrateQueue(pool: Pool): Promise<void> {
  const client = await pool.connect()
  try {
    await runMigrations(client, queueSchema)
  } finally {
    client.release()
  }
}

/** Whether the queue's tables are there and fit this build. */
export async function isQueueMigrated(pool: Pool): Promise<boolean> {
  return assertSchemaCompatibility(pool, queueSchema).then(
    () => true,
    () => false,
  )
}
