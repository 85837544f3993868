// Owns counting imports by state.
import { count } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import { imports } from '../db/schema/index.ts'
import { type ImportState, states } from '../model/import-state.ts'

export async function countByState({ db }: { db: Database }): Promise<Record<ImportState, number>> {
  const rows = await db.select({ state: imports.state, count: count() }).from(imports).groupBy(imports.state)
  const counted = new Map(rows.map((row) => [row.state, row.count]))
  return Object.fromEntries(states.map((state) => [state, counted.get(state) ?? 0])) as Record<ImportState, number>
}
