// Owns walking the pages of skipped lines and row results to their end, politely: each page draws on the connection's
// budget, and a long walk makes room for others now and then. Where it stands is checkpoint.ts's.
import { setTimeout as delay } from 'node:timers/promises'
import { after, type Clock } from '../clock.ts'
import { drawRequest } from '../connections/draw.ts'
import type { Target, Targets } from '../connections/targets.ts'
import type { Database } from '../db/client.ts'
import type { Nudge } from '../dispatch/nudge.ts'
import type { Log } from '../log.ts'
import { backOff } from '../polling/interval.ts'
import { reactForConnection } from '../polling/react.ts'
import { askDetails } from '../providers/ask.ts'
import { type ProviderClient, ProviderError } from '../providers/client.ts'
import type { Payload } from '../queue/jobs.ts'
import { type Checkpoint, type Failures, giveUp, loadCheckpoint, postpone, storeCollectedPage } from './checkpoint.ts'

export interface CollectDeps {
  db: Database
  clock: Clock
  log: Log
  client: ProviderClient
  targets: Targets
  nudge: Nudge
}

/** A walk makes room for others after this long, and goes on when its turn comes again. */
const turnMs = 20_000
/** A page whose turn is further off than this is waited for in the database, not in the worker. */
const waitInWorkerMs = 2_000
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
  return async ({ importId }, signal) => {
    const startedAt = deps.clock.now()
    const checkpoint = await loadCheckpoint(deps.db, importId, startedAt)
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
  const { jobId } = start.row
  const connection = { id: target.id, name: target.name, provider: target.provider.name }
  const turnEnds = after(clock.now(), turnMs)
  let at = start
  let emptyPages = 0
  for (let pages = 0; ; pages++) {
    // Dispatch has drawn the first request of a turn already.
    const mayStartAt = pages === 0 ? clock.now() : await drawRequest(db, target, clock.now())
    if (signal.aborted || clock.now() > turnEnds || (await waitsElsewhere(clock, mayStartAt, signal))) {
      await postpone(db, at, mayStartAt, noFailures)
      return { pages, outcome: 'postponed' }
    }
    const details = await ask(deps, target, jobId, at.cursor, signal)
    if (details instanceof ProviderError) {
      await reactForConnection(deps, target, details, clock.now())
      return { pages, outcome: await failed(deps, target, at, details, pages > 0 ? noFailures : start.row) }
    }
    const stored = await storeCollectedPage(db, at, connection, details, clock.now())
    if (stored.kind === 'superseded') return { pages, outcome: 'superseded' }
    if (stored.kind === 'complete') {
      nudge.deliver()
      return { pages: pages + 1, outcome: 'complete' }
    }
    at = stored.next
    emptyPages = details.skippedLines.length + details.rowResults.length > 0 ? 0 : emptyPages + 1
    if (emptyPages >= maxEmptyPages || isTooOld(at, clock.now())) {
      await giveUp(db, at)
      return { pages: pages + 1, outcome: 'incomplete' }
    }
  }
}

function isTooOld({ row }: Checkpoint, now: Date): boolean {
  return now > after(row.finishedAt ?? row.registeredAt, giveUpAfterMs)
}

function ask({ client }: CollectDeps, target: Target, jobId: string, cursor: string, signal: AbortSignal) {
  return askDetails(client, target.provider, target, jobId, cursor, { signal }).catch((error: unknown) => {
    if (error instanceof ProviderError) return error
    throw error
  })
}

/** Waits for a page's turn where it comes soon; true: it doesn't, or we are to stop. */
async function waitsElsewhere(clock: Clock, mayStartAt: Date, signal: AbortSignal): Promise<boolean> {
  const waitMs = mayStartAt.getTime() - clock.now().getTime()
  if (waitMs <= 0) return false
  if (waitMs > waitInWorkerMs) return true
  await delay(waitMs, undefined, { signal }).catch(() => undefined)
  return signal.aborted
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
  const failures: Failures = {
    collectFailures: collectFailures + 1,
    collectNotFounds: error.kind === 'not_found' ? collectNotFounds + 1 : 0,
  }
  if (failures.collectNotFounds >= confirmingNotFounds || isTooOld(at, now)) {
    await giveUp(db, at)
    return 'incomplete'
  }
  const { retryAfterMs } = error
  const next = backOff({ importId: at.row.id, failures: failures.collectFailures, retryAfterMs, limits })
  await postpone(db, at, after(now, next.delayMs), failures)
  return error.kind
}
