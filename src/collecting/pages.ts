// Owns what the pages of one turn have in common, whether they are pages of a list or pieces of a file: one is under way
// at most, while the one before is stored, and it ends with the turn.
import { after } from '../base/clock.ts'
import type { ProviderError } from '../providers/client.ts'
import type { DetailPage } from '../providers/contract.ts'
import type { Hold } from '../work/kind.ts'
import type { ListTroubleKind } from './judge.ts'

/** The import whose rows are asked for: its last report, its job, and where its provider said that its status is. */
export interface Asked {
  id: string
  state: string
  snapshotId: string | null
  jobId: string
  pollUrl: string | null
}

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

/** How long a walk lasts before it makes room for others. It continues at its next turn. */
export const turnMs = 20_000

/** The turn that the pages are asked for in. */
export interface Turn {
  signal: AbortSignal
  /** Returns true if it has lasted so long, or has lost its lease. */
  isOver(now: Date, lastsMs?: number): boolean
}

/** @param close frees what is open, once no page is under way. */
export function createPages(
  hold: Hold,
  startedAt: Date,
  create: (turn: Turn) => { fetch(cursor: string): Promise<AskedPage>; close?: () => Promise<void> },
): Pages {
  const ended = new AbortController()
  const signal = AbortSignal.any([hold.signal, ended.signal])
  const { fetch, close } = create({
    signal,
    isOver: (now, lastsMs = turnMs) => signal.aborted || !hold.isHeld() || now > after(startedAt, lastsMs),
  })
  let page: Promise<AskedPage> | undefined

  return {
    ask(cursor) {
      page = fetch(cursor)
      page.catch(() => {}) // `asked` reports it
    },
    async asked() {
      if (!page) throw new Error('No page was asked for.')
      return page
    },
    async [Symbol.asyncDispose]() {
      ended.abort()
      await page?.catch(() => {})
      await close?.()
    },
  }
}
