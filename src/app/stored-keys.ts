// Owns checking that the accepted keys can decrypt the stored secrets. A start with other keys would look healthy, and
// could neither poll nor deliver.
import { sql } from 'drizzle-orm'
import type { Clock } from '../base/clock.ts'
import type { Encryption } from '../base/encryption.ts'
import { ConfigError } from '../config/config.ts'
import type { Database } from '../db/client.ts'

/** @throws {ConfigError} if no accepted key decrypts a stored secret. */
export async function requireStoredKeys({
  db,
  clock,
  encryption,
}: {
  db: Database
  clock: Clock
  encryption: Encryption
}): Promise<void> {
  // A value begins with its key's id, so there are only as many distinct values as keys.
  const { rows } = await db.execute<{ value: string }>(sql`
    /* secret.keys */
    SELECT DISTINCT split_part(secret, '.', 1) AS value FROM (
      SELECT credentials AS secret FROM connections WHERE deleted_at IS NULL
      UNION ALL SELECT secret FROM webhook_endpoints WHERE deleted_at IS NULL
      UNION ALL SELECT headers FROM webhook_endpoints WHERE deleted_at IS NULL AND headers IS NOT NULL
      UNION ALL SELECT previous ->> 'secret'
        FROM webhook_endpoints CROSS JOIN jsonb_array_elements(previous_secrets) AS previous
        WHERE deleted_at IS NULL AND (previous ->> 'expiresAt')::timestamptz > ${clock.now()}
    ) AS stored`)
  if (rows.every(({ value }) => encryption.knows(value))) return
  throw new ConfigError(
    'ENCRYPTION_KEYS must hold every key that stored secrets were encrypted with; one of them is missing.',
  )
}
