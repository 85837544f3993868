// Owns waiting for new events: every quarter of a second, one statement for all waiters of this process.

import type { Page } from '../api/paging.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Database } from '../db/client.ts'
import { type ApiEvent, type FeedQuery, listEvents, newestPosition } from '../events/feed.ts'

export interface FeedWatcher {
  /**
   * Returns a page of the feed: at once if there are events, otherwise as soon as there are, or when the signal aborts.
   */
  wait(query: FeedQuery, signal: AbortSignal): Promise<Page<ApiEvent>>
}

interface Deps {
  db: Database
  clock: Clock
  log: Log
  intervalMs?: number
}

export function createFeedWatcher({ db, clock, log, intervalMs = 250 }: Deps): FeedWatcher {
  const waiting = new Set<() => void>()
  let newest: number | null = null
  let running = false

  async function run() {
    running = true
    while (waiting.size > 0) {
      await check().catch((error: unknown) => log.warn({ err: error }, 'could not look for new events'))
      await new Promise((resolve) => setTimeout(resolve, intervalMs).unref())
    }
    running = false
  }

  async function check() {
    const position = await newestPosition({ db, clock })
    if (position === newest) return
    newest = position
    for (const wake of [...waiting]) wake()
  }

  /** Resolves when there may be unread events, or when the signal aborts. */
  function news(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        waiting.delete(wake)
        signal.removeEventListener('abort', wake)
        resolve()
      }
      if (signal.aborted) return resolve()
      signal.addEventListener('abort', wake)
      waiting.add(wake)
      if (!running) void run()
    })
  }

  return {
    async wait(query, signal) {
      for (;;) {
        const done = new AbortController()
        try {
          // Registered before reading. Otherwise an event between reading and waiting would be missed.
          const more = news(AbortSignal.any([signal, done.signal]))
          const page = await listEvents({ db, clock }, query)
          if (page.data.length > 0 || signal.aborted) return page
          await more
        } finally {
          done.abort()
        }
      }
    },
  }
}
