// Owns the schema of the queue's own tables in Postgres, which BullMQ defines.
import { assertSchemaCompatibility, runMigrations } from 'bullmq'
import type { Pool } from 'pg'

/** The schema that BullMQ uses unless it builds the pool itself. */
export const queueSchema = 'bullmq'

/** Applies the missing migrations. Several processes may run it at once. */
export async function migrateQueue(pool: Pool): Promise<void> {
  const client = await pool.connect()
  try {
    await runMigrations(client, queueSchema)
  } finally {
    client.release()
  }
}

/** Returns true if the queue's tables exist and fit this build. */
export async function isQueueMigrated(pool: Pool): Promise<boolean> {
  return assertSchemaCompatibility(pool, queueSchema).then(
    () => true,
    () => false,
  )
}
