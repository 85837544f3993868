// Owns how many imports a person should look at.
import { sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import type { Attention } from '../model/import-state.ts'

export interface ImportsNeedingAttention {
  byAttention: ReadonlyMap<Attention, number>
  /** Imports that ended as `lost` since then. */
  lost: number
}

/** Counts by index alone: imports that need attention are few. */
export async function countNeedingAttention(
  { db }: { db: Database },
  lostSince: Date,
): Promise<ImportsNeedingAttention> {
  const { rows } = await db.execute<{ attention: Attention | null; count: number }>(sql`
    /* import.count_attention */
    SELECT attention, count(*)::int AS count FROM imports WHERE attention IS NOT NULL GROUP BY 1
    UNION ALL
    SELECT NULL, count(*)::int FROM imports WHERE state = 'lost' AND finished_at >= ${lostSince}`)
  return {
    byAttention: new Map(rows.flatMap(({ attention, count }) => (attention === null ? [] : [[attention, count]]))),
    lost: rows.find(({ attention }) => attention === null)?.count ?? 0,
  }
}
