// Owns what a database knows of the installation that it belongs to: its id, and the address of its pages.
import { sql } from 'drizzle-orm'
import type { Database } from './client.ts'
import { installation } from './schema/index.ts'

/** Returns the id that keeps this installation apart from others on the same Redis. */
export async function readInstallationId(db: Database): Promise<string> {
  const [row] = await db.select({ id: installation.id }).from(installation)
  if (!row) throw new Error('The table installation is empty: restore its row, with any new id.')
  return row.id
}

/**
 * Stores the address of the pages, so that every process shows it, and every event: a worker, too, whose environment
 * doesn't name it.
 */
export async function storePublicUrl(db: Database, publicUrl: string | null): Promise<void> {
  await db.update(installation).set({ publicUrl }).where(sql`${installation.publicUrl} IS DISTINCT FROM ${publicUrl}`)
}
