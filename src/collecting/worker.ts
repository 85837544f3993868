// Owns walking the pages of skipped lines and row results to their end. When and how they are asked for is pages.ts's,
// where the walk stands checkpoint.ts's.
import { after, type Clock } from '../clock.ts'
import type { Target, Targets } from '../connections/targets.ts'
import type { Database } from '../db/client.ts'
import type { Nudge } from '../dispatch/nudge.ts'
import type { Log } from '../log.ts'
import { backOff } from '../polling/interval.ts'
import { reactForConnection } from '../polling/react.ts'
import type { ProviderClient, ProviderError } from '../providers/client.ts'
import type { Payload } from '../queue/jobs.ts'
import {
  type Checkpoint,
  type Failures,
  giveUp,
  loadCheckpoint,
  nextCursor,
  postpone,
  storeCollectedPage,
} from './checkpoint.ts'
import { createPages } from './pages.ts'

export interface CollectDeps {
  db: Database
  clock: Clock
  log: Log
  client: ProviderClient
  targets: Targets
  nudge: Nudge
}

/** A 404 is believed when three in a row say so; anything else after a week of trying. */
const confirmingNotFounds = 3
const giveUpAfterMs = 7 * 24 * 60 * 60 * 1_000
/** A list whose pages stay empty this often in a row has no end. */
const maxEmptyPages = 100
const noFailures: Failures = { collectFailures: 0, collectNotFounds: 0 }

/** The processor of the `collect` queue. */
export function createCollectWorker(
  deps: CollectDeps,
): (payload: Payload<'collect'>, signal: AbortSignal) => Promise<void> {
  return async ({ importId, leaseUntil }, signal) => {
    const startedAt = deps.clock.now()
    const checkpoint = await loadCheckpoint(deps.db, importId, new Date(leaseUntil), startedAt)
    if (!checkpoint) return
    const { connectionId } = checkpoint.row
    const target = (await deps.targets.load([connectionId])).get(connectionId)
    if (!target) return
    const walked = await walk(deps, target, checkpoint, signal)
    const { pages, outcome } = walked
    deps.log.info(
      {
        importId,
        connection: target.name,
        provider: target.provider.name,
        outcome,
        pages,
        page: checkpoint.page + pages,
        durationMs: deps.clock.now().getTime() - startedAt.getTime(),
      },
      'collect',
    )
  }
}

interface Walked {
  /** Pages stored in this turn. */
  pages: number
  outcome: string
}

async function walk(deps: CollectDeps, target: Target, start: Checkpoint, signal: AbortSignal): Promise<Walked> {
  const { db, clock, nudge } = deps
  const connection = { id: target.id, name: target.name, provider: target.provider.name }
  await using pages = createPages(deps, target, start.row.jobId, signal)
  let at = start
  let emptyPages = 0
  pages.ask(at.cursor)
  for (let stored = 0; ; stored++) {
    const page = await pages.asked()
    if (page.kind === 'postponed') {
      await postpone(db, at, page.until, noFailures)
      return { pages: stored, outcome: 'postponed' }
    }
    if (page.kind === 'failed') {
      await reactForConnection(deps, target, page.error, clock.now())
      return { pages: stored, outcome: await failed(deps, target, at, page.error, stored > 0 ? noFailures : start.row) }
    }
    const { details } = page
    emptyPages = details.skippedLines.length + details.rowResults.length > 0 ? 0 : emptyPages + 1
    const endless = emptyPages >= maxEmptyPages || isTooOld(at, clock.now())
    const next = nextCursor(at, details)
    if (next !== null && !endless) pages.ask(next) // it is on its way while this one is stored
    const result = await storeCollectedPage(db, at, connection, details, clock.now())
    if (result.kind === 'superseded') return { pages: stored, outcome: 'superseded' }
    if (result.kind === 'complete') {
      nudge.deliver()
      return { pages: stored + 1, outcome: 'complete' }
    }
    at = result.next
    if (endless) {
      await giveUp(db, at)
      return { pages: stored + 1, outcome: 'incomplete' }
    }
  }
}

function isTooOld({ row }: Checkpoint, now: Date): boolean {
  return now > after(row.finishedAt ?? row.registeredAt, giveUpAfterMs)
}

async function failed(
  { db, clock }: CollectDeps,
  { limits }: Target,
  at: Checkpoint,
  error: ProviderError,
  { collectFailures, collectNotFounds }: Failures,
) {
  const now = clock.now()
  if (error.kind === 'aborted') {
    await postpone(db, at, now, { collectFailures, collectNotFounds })
    return 'aborted'
  }
  const failure = { code: error.kind, at: now }
  const failures: Failures = {
    collectFailures: collectFailures + 1,
    collectNotFounds: error.kind === 'not_found' ? collectNotFounds + 1 : 0,
  }
  if (failures.collectNotFounds >= confirmingNotFounds || isTooOld(at, now)) {
    await giveUp(db, at, failure)
    return 'incomplete'
  }
  const { retryAfterMs } = error
  const next = backOff({ importId: at.row.id, failures: failures.collectFailures, retryAfterMs, limits })
  await postpone(db, at, after(now, next.delayMs), failures, failure)
  return error.kind
}
