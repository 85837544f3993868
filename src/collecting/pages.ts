// Owns requesting the pages of one turn. Each request draws on the connection's budget, and a long walk makes room for
// others now and then.
import { setTimeout as delay } from 'node:timers/promises'
import { after, type Clock } from '../base/clock.ts'
import type { ConnectionAccess } from '../connections/access.ts'
import { reserveRequest } from '../connections/reserve.ts'
import type { Database } from '../db/client.ts'
import { askDetails } from '../providers/ask.ts'
import { type ProviderClient, ProviderError } from '../providers/client.ts'
import type { DetailPage } from '../providers/contract.ts'
import type { Hold } from '../work/kind.ts'
import type { ListTroubleKind } from './judge.ts'

/** How long a walk lasts before it makes room for others. It continues at its next turn. */
const turnMs = 20_000
/** A longer wait for a page's turn happens in the database, not in the worker. */
const waitInWorkerMs = 2_000

export type AskedPage =
  | { kind: 'page'; details: DetailPage }
  /** `isElsewhere`: another server than the provider's failed, which says nothing about the connection. */
  | { kind: 'failed'; error: ProviderError; trouble: ListTroubleKind; isElsewhere: boolean }
  /** The page's turn is further off, or the walk has to stop. */
  | { kind: 'postponed'; until: Date }

export interface Pages extends AsyncDisposable {
  /** Requests a page. One at a time. */
  ask(cursor: string): void
  /** Returns the page that was last requested. */
  asked(): Promise<AskedPage>
  /** Aborts a request that is under way. */
  [Symbol.asyncDispose](): Promise<void>
}

export function createPages(
  deps: { db: Database; clock: Clock; client: ProviderClient },
  access: ConnectionAccess,
  jobId: string,
  hold: Hold,
): Pages {
  const { db, clock } = deps
  const ended = new AbortController()
  const signal = AbortSignal.any([hold.signal, ended.signal])
  const turnEnds = after(clock.now(), turnMs)
  let isFirst = true
  let page: Promise<AskedPage> | undefined

  async function fetchPage(cursor: string): Promise<AskedPage> {
    // The pass that began this turn has counted its first request.
    const mayStartAt = isFirst ? clock.now() : await reserveRequest(db, access, clock.now())
    isFirst = false
    if (signal.aborted || !hold.isHeld() || clock.now() > turnEnds || (await waitsElsewhere(clock, mayStartAt, signal)))
      return { kind: 'postponed', until: mayStartAt }
    try {
      return {
        kind: 'page',
        details: await askDetails(deps.client, access.provider, access, jobId, cursor, { signal }),
      }
    } catch (error) {
      if (error instanceof ProviderError) return { kind: 'failed', error, trouble: error.kind, isElsewhere: false }
      throw error
    }
  }

  return {
    ask(cursor) {
      page = fetchPage(cursor)
      page.catch(() => {}) // `asked` reports it
    },
    async asked() {
      if (!page) throw new Error('No page was asked for.')
      return page
    },
    async [Symbol.asyncDispose]() {
      ended.abort()
      await page?.catch(() => {})
    },
  }
}

/** Waits for a page's turn if it comes soon. Returns true if it doesn't, or if the walk has to stop. */
async function waitsElsewhere(clock: Clock, mayStartAt: Date, signal: AbortSignal): Promise<boolean> {
  const waitMs = mayStartAt.getTime() - clock.now().getTime()
  if (waitMs <= 0) return false
  if (waitMs > waitInWorkerMs) return true
  await delay(waitMs, undefined, { signal }).catch(() => undefined)
  return signal.aborted
}
