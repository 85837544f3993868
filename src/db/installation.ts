// Owns the identity of a database: which installation it belongs to.
import type { Database } from './client.ts'
import { installation } from './schema/index.ts'

/** Returns the id that keeps this installation apart from others on the same Redis. */
export async function readInstallationId(db: Database): Promise<string> {
  const [row] = await db.select({ id: installation.id }).from(installation)
  if (!row) throw new Error('The table installation is empty: restore its row, with any new id.')
  return row.id
}
