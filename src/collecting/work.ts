// Owns collecting as a kind of work. An item is a list of skipped lines or row results, and its pages are walked for a
// turn.
import { and, eq, isNotNull, type SQL, sql } from 'drizzle-orm'
import { after } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { ConnectionAccesses } from '../connections/access.ts'
import { connectionsToServe } from '../connections/rooms.ts'
import { imports } from '../db/schema/index.ts'
import type { Kind } from '../work/kind.ts'
import { beginCollections, type Collection } from './begin.ts'
import { loadCheckpoint } from './checkpoint.ts'
import { type WalkDeps, type Walked, walk } from './walk.ts'

export interface CollectDeps extends WalkDeps {
  log: Log
  accesses: ConnectionAccesses
}

/** How many lists one process walks at once at most. */
export const mostCollections = 20
/** How long a list is put off if its walk can't be stored. */
const putOffMs = 60_000
/** A finished turn of a walk. */
export interface Collected {
  item: Collection
  /** Null: nothing was left to collect. */
  walked: Walked | null
  /** The number of the page that the walk reached. */
  page: number
  durationMs: number
}

export function collectWork(deps: CollectDeps): Kind<Collection, Collected> {
  const { db, clock } = deps
  return {
    name: 'collect',
    most: mostCollections,
    restMs: 20,
    due: (_db, now, limit) => connectionsToServe(db, { kind: 'collect', oldestDue: oldestDue(now), limit }, now),
    begin: (tx, owners, room, now) => beginCollections(deps, tx, { owners, most: room, now }),
    async act(item, hold) {
      if (!hold.isHeld()) return 'aborted'
      const startedAt = clock.now()
      const checkpoint = await loadCheckpoint(db, item.id, hold.leaseId)
      const walked = checkpoint && (await walk(deps, item.access, checkpoint, hold))
      const durationMs = clock.now().getTime() - startedAt.getTime()
      return { item, walked, page: (checkpoint?.page ?? 0) + (walked?.pages ?? 0), durationMs }
    },
    // Pages are stored as they come, because a list may not fit into memory.
    async record(_tx, collected) {
      return {
        due: new Set(),
        report() {
          for (const one of collected) report(deps, one)
        },
      }
    },
    async putOff(tx, { id }, _error, now) {
      await tx
        .update(imports)
        .set({ nextCollectAt: after(now, putOffMs) })
        .where(and(eq(imports.id, id), isNotNull(imports.nextCollectAt)))
    },
  }
}

export function oldestDue(now: Date): SQL {
  return sql`
    SELECT next_collect_at FROM imports WHERE connection_id = connections.id AND next_collect_at <= ${now}
    ORDER BY next_collect_at LIMIT 1`
}

function report({ log }: CollectDeps, { item, walked, page, durationMs }: Collected): void {
  if (walked === null) return
  const { access, id } = item
  const { outcome, pages } = walked
  const connection = { connection: access.name, provider: access.provider.name }
  log.info({ importId: id, ...connection, outcome, pages, page, durationMs }, 'collect')
}
