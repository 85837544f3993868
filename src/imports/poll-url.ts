// Owns storing where the next poll of an import goes, once its provider has said it. Few providers do, so this is a
// statement of its own.
import { sql } from 'drizzle-orm'
import type { Transaction } from '../db/client.ts'

export async function recordPollUrls(
  tx: Transaction,
  named: readonly { importId: string; pollUrl: string }[],
): Promise<void> {
  if (named.length === 0) return
  await tx.execute(sql`
    /* record.poll_urls */
    UPDATE imports SET poll_url = named.url
    FROM unnest(
      ${sql.param(named.map(({ importId }) => importId))}::uuid[], ${sql.param(named.map(({ pollUrl }) => pollUrl))}::text[]
    ) AS named (id, url)
    WHERE imports.id = named.id`)
}
