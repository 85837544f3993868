// Owns walking the pages of skipped lines and row results to their end. pages.ts owns when and how to request them, and
// checkpoint.ts the position of the walk.
import { isDeepStrictEqual } from 'node:util'
import { after, type Clock } from '../base/clock.ts'
import type { ConnectionAccess } from '../connections/access.ts'
import { backOff } from '../connections/backoff.ts'
import { type MadeCall, reactForConnection, saysSomething } from '../connections/react.ts'
import type { Database } from '../db/client.ts'
import type { StoredPollError } from '../db/schema/index.ts'
import { goingOn, rowsMissing } from '../imports/pages.ts'
import { storedError } from '../imports/stored-error.ts'
import type { ProviderClient, ProviderErrorKind } from '../providers/client.ts'
import { type DetailPage, firstPage } from '../providers/contract.ts'
import type { Pace } from '../providers/files/asked-file.ts'
import type { Hold } from '../work/kind.ts'
import type { Wake } from '../work/wake.ts'
import { type Checkpoint, giveUpWalk, nextCursor, postpone, postponeFailed, storeCollectedPage } from './checkpoint.ts'
import { createFilePages } from './file-pages.ts'
import { giveUpAfterMs, tooLate } from './give-up.ts'
import { judge, type ListTroubleKind, type Trouble } from './judge.ts'
import { createListPages } from './list-pages.ts'

export interface WalkDeps {
  db: Database
  clock: Clock
  client: ProviderClient
  wake: Wake
  /** How slowly a file may come. Absent: the usual. */
  filePace?: Pace
}

/** After this many empty pages in a row, the list has no end. */
const maxEmptyPages = 100
/** A list that counts its pages has no end, if so many are the same as the one before them: it doesn't heed the number. */
const maxSamePages = 3
/** The longest interval at which a list that can't continue is requested. */
const maxFaultIntervalMs = 15 * 60_000

export interface Walked {
  /** How many pages this turn stored. */
  pages: number
  outcome: string
}

/** Walks on from the checkpoint for one turn. */
export async function walk(deps: WalkDeps, access: ConnectionAccess, start: Checkpoint, hold: Hold): Promise<Walked> {
  const { db, clock, wake } = deps
  const create = access.provider.files ? createFilePages : createListPages
  await using pages = create(deps, access, start.row, hold)
  let at = start
  let trouble: Trouble = start.row
  let emptyPages = 0
  let samePages = 0
  let before: DetailPage | null = null
  pages.ask(at.cursor)
  for (let stored = 0; ; stored++) {
    const page = await pages.asked()
    const now = clock.now()
    if (page.kind === 'postponed') {
      await postpone(db, at, page.until, now)
      return { pages: stored, outcome: 'postponed' }
    }
    if (page.kind === 'failed') {
      const { error, isElsewhere } = page
      if (!isElsewhere) await react(deps, access, { importId: at.row.id, what: 'details', error }, now)
      const stopped = { trouble, kind: page.trouble, error: storedError(error, now), retryAfterMs: error.retryAfterMs }
      if (error.kind === 'aborted') await postpone(db, at, now, now)
      else await goOnAfter(deps, access, at, { ...stopped, isElsewhere })
      return { pages: stored, outcome: error.kind }
    }
    if (stored === 0) await react(deps, access, { importId: at.row.id, what: 'details', error: null }, now)
    const { details } = page
    emptyPages = details.skippedLines.length + details.rowResults.length > 0 ? 0 : emptyPages + 1
    samePages = !access.provider.files && isSamePage(before, details) ? samePages + 1 : 0
    before = details
    const endless = emptyPages >= maxEmptyPages || samePages >= maxSamePages || isTooOld(at, now)
    const next = nextCursor(at, details)
    if (next !== null && !endless) pages.ask(next) // it is requested while this page is stored
    const result = await storeCollectedPage(db, at, details, now)
    if (result.kind === 'superseded') return { pages: stored, outcome: 'superseded' }
    if (result.kind === 'short') {
      const error = rowsMissing(result, now)
      await goOnAfter(deps, access, result.at, { trouble, kind: 'rows_missing', error, retryAfterMs: null })
      return { pages: stored, outcome: 'rows_missing' }
    }
    if (result.kind === 'complete') {
      wake(['deliver', 'poll'])
      return { pages: stored + 1, outcome: 'complete' }
    }
    at = result.next
    if (at.cursor !== next && !endless) {
      await pages.asked() // of a list that goes in a circle: the one behind it follows
      pages.ask(at.cursor)
    }
    trouble = { ...goingOn, collectBegunAnew: trouble.collectBegunAnew }
    if (endless) {
      const error = endlessError({ emptyPages, samePages }, now)
      await giveUpWalk(db, at, { error, failed: null, now })
      wake(['deliver', 'poll'])
      return { pages: stored + 1, outcome: 'incomplete' }
    }
  }
}

async function react({ db, wake }: WalkDeps, access: ConnectionAccess, call: MadeCall, now: Date): Promise<void> {
  if (!saysSomething(access, call)) return
  wake(await db.transaction((tx) => reactForConnection(tx, access, call, now)))
}

function isTooOld({ row }: Checkpoint, now: Date): boolean {
  const since = row.heldOutcome === null ? null : new Date(row.heldOutcome.since)
  return now > after(row.finishedAt ?? since ?? row.registeredAt, giveUpAfterMs)
}

interface Stopped {
  /** How the collection had gone so far. */
  trouble: Trouble
  kind: ListTroubleKind
  error: StoredPollError
  retryAfterMs: number | null
  /** True: no call to the provider failed. */
  isElsewhere?: boolean
}

/** Puts off the list, for the same page or for the first one, or gives it up. */
async function goOnAfter(
  { db, clock, wake }: WalkDeps,
  access: ConnectionAccess,
  at: Checkpoint,
  { trouble: before, kind, error, retryAfterMs, isElsewhere = false }: Stopped,
): Promise<void> {
  const now = clock.now()
  const { kind: verdict, trouble } = judge(before, kind, at.cursor === firstPage)
  const { minIntervalMs, maxIntervalMs } = access.limits
  const limits = {
    minIntervalMs,
    maxIntervalMs: trouble.collectFaults > 0 ? Math.max(maxIntervalMs, maxFaultIntervalMs) : maxIntervalMs,
  }
  const next = backOff({ importId: at.row.id, failures: trouble.collectFailures, retryAfterMs, limits })
  const until = after(now, next.delayMs)
  const failed = isElsewhere ? null : callOf(kind)
  if (verdict !== 'give_up')
    return postponeFailed(db, at, until, { trouble, error, failed, anew: verdict === 'anew' }, now)
  await giveUpWalk(db, at, { error, failed, now })
  wake(['deliver', 'poll'])
}

/** Returns how the call failed. Null: it didn't. */
function callOf(kind: ListTroubleKind): ProviderErrorKind | null {
  if (kind === 'rows_missing' || kind === 'file_changed') return null
  return kind === 'file_slow' ? 'timeout' : kind
}

function endlessError(
  { emptyPages, samePages }: { emptyPages: number; samePages: number },
  now: Date,
): StoredPollError {
  if (emptyPages < maxEmptyPages && samePages < maxSamePages) return tooLate(now)
  const what =
    samePages < maxSamePages ? `${maxEmptyPages} pages in a row were empty` : 'page after page has the same rows'
  return { code: 'invalid_response', message: `The provider’s list has no end: ${what}.`, at: now.toISOString() }
}

/** Returns true if the rows say which ones they are, and are those of the page before. */
function isSamePage(before: DetailPage | null, { skippedLines, rowResults }: DetailPage): boolean {
  if (before === null || !isDeepStrictEqual([before.skippedLines, before.rowResults], [skippedLines, rowResults]))
    return false
  return (
    skippedLines.some(({ line }) => line !== null) ||
    rowResults.some(({ recordId, line = null }) => (recordId ?? line) !== null)
  )
}
