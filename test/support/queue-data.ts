// Owns losing all that the queue's store holds, as when Redis is replaced by an empty one.
import { Redis } from 'ioredis'
import type { Pool } from 'pg'
import { vi } from 'vitest'
import { queueSchema } from '../../src/queue/migrate.ts'

/** In Postgres the tables stay: an empty schema is one that was never migrated, and a start refuses that. */
export async function deleteQueueData({ redisUrl, pool }: { redisUrl: string | null; pool: Pool }): Promise<void> {
  if (redisUrl !== null) {
    const redis = new Redis(redisUrl)
    await redis.flushdb()
    redis.disconnect()
    return
  }
  const { rows } = await pool.query(
    `SELECT tablename FROM pg_tables WHERE schemaname = $1 AND tablename <> 'migration'`,
    [queueSchema],
  )
  const tables = rows.map(({ tablename }) => `${queueSchema}.${tablename}`).join(', ')
  // All at once or none: to wait for one table while holding another would deadlock with a worker that does likewise.
  const truncate = `DO $$ BEGIN LOCK TABLE ${tables} IN ACCESS EXCLUSIVE MODE NOWAIT; TRUNCATE ${tables}; END $$`
  await vi.waitFor(() => pool.query(truncate), { timeout: 10_000, interval: 5 })
}
