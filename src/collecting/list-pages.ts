// Owns requesting the pages of a list in one turn. Each request draws on the connection's budget.
import { setTimeout as delay } from 'node:timers/promises'
import { and, eq } from 'drizzle-orm'
import type { Clock } from '../base/clock.ts'
import type { ConnectionAccess } from '../connections/access.ts'
import { reserveRequest } from '../connections/reserve.ts'
import type { Database } from '../db/client.ts'
import { snapshots } from '../db/schema/index.ts'
import { askDetails } from '../providers/ask.ts'
import { type ProviderClient, ProviderError } from '../providers/client.ts'
import { firstPage, type Report } from '../providers/contract.ts'
import type { Hold } from '../work/kind.ts'
import { type Asked, type AskedPage, createPages, type Pages } from './pages.ts'

/** A longer wait for a page's turn happens in the database, not in the worker. */
const waitInWorkerMs = 2_000

export function createListPages(
  { db, clock, client }: { db: Database; clock: Clock; client: ProviderClient },
  access: ConnectionAccess,
  asked: Asked,
  hold: Hold,
): Pages {
  return createPages(hold, clock.now(), ({ signal, isOver }) => {
    let isFirst = true

    async function fetch(cursor: string): Promise<AskedPage> {
      // The pass that began this turn has counted its first request.
      const mayStartAt = isFirst ? clock.now() : await reserveRequest(db, access, clock.now())
      isFirst = false
      if (isOver(clock.now()) || (await waitsElsewhere(clock, mayStartAt, signal)))
        return { kind: 'postponed', until: mayStartAt }
      try {
        const at = cursor === firstPage ? await beginning() : cursor
        return { kind: 'page', details: await askDetails(client, access.provider, access, asked.jobId, at, { signal }) }
      } catch (error) {
        if (error instanceof ProviderError) return { kind: 'failed', error, trouble: error.kind, isElsewhere: false }
        throw error
      }
    }

    /** Returns where the lists begin that the import's report has: all of them, if that isn't known. */
    async function beginning(): Promise<string> {
      const begin = access.provider.details?.begin
      const report = begin && (await findReport(db, asked))
      return (report && begin(report, access.settings)) ?? firstPage
    }

    return { fetch }
  })
}

/** The report that ended the import. Null: it ended in another way. */
async function findReport(
  db: Database,
  { id, state, snapshotId }: Asked,
): Promise<Pick<Report, 'state' | 'body'> | null> {
  if (snapshotId === null) return null
  const [report] = await db
    .select({ state: snapshots.state, body: snapshots.body })
    .from(snapshots)
    .where(and(eq(snapshots.importId, id), eq(snapshots.id, snapshotId)))
  return report?.state === state ? (report as Pick<Report, 'state' | 'body'>) : null
}

/** Waits for a page's turn if it comes soon. Returns true if it doesn't, or if the walk has to stop. */
async function waitsElsewhere(clock: Clock, mayStartAt: Date, signal: AbortSignal): Promise<boolean> {
  const waitMs = mayStartAt.getTime() - clock.now().getTime()
  if (waitMs <= 0) return false
  if (waitMs > waitInWorkerMs) return true
  await delay(waitMs, undefined, { signal }).catch(() => undefined)
  return signal.aborted
}
