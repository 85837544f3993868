// Owns whether the accepted keys are those that the stored secrets were encrypted with: a start with other ones would
// look healthy, and could neither ask nor tell anybody.
import { sql } from 'drizzle-orm'
import type { Encryption } from '../base/encryption.ts'
import { ConfigError } from '../config/config.ts'
import type { Database } from '../db/client.ts'

/** @throws {ConfigError} where something is stored that no accepted key opens. */
export async function requireStoredKeys({ db, encryption }: { db: Database; encryption: Encryption }): Promise<void> {
  // A value begins with its key's id; there are as many as keys, however many values there are.
  const { rows } = await db.execute<{ value: string }>(sql`
    SELECT DISTINCT split_part(secret, '.', 1) AS value FROM (
      SELECT credentials AS secret FROM connections WHERE deleted_at IS NULL
      UNION ALL SELECT secret FROM webhook_endpoints WHERE deleted_at IS NULL
    ) AS stored`)
  if (rows.every(({ value }) => encryption.knows(value))) return
  throw new ConfigError(
    'ENCRYPTION_KEYS must hold every key that stored secrets were encrypted with; one of them is missing.',
  )
}
