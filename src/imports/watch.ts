// Owns waiting for imports to change: every quarter of a second, one statement reads for all waiters of this process.
// No code has to report a change, so none can forget to.
import { eq, inArray, sql } from 'drizzle-orm'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Database } from '../db/client.ts'
import { imports, polling } from '../db/schema/index.ts'
import { isOver } from '../model/import-state.ts'
import type { ApiImport } from './present.ts'
import { getImport, getImports } from './read.ts'

export interface Watcher {
  /**
   * Yields the import as it is now, and then after each change. Ends when the import is over or deleted, or when the
   * signal aborts (which is no error). Changes within one interval are yielded as one.
   * @throws {AppError} not_found
   */
  changes(importId: string, signal: AbortSignal): AsyncGenerator<ApiImport, void>
}

interface Waiter {
  shown: string
  /** Null: the import is deleted. */
  wake(change: ApiImport | null): void
}

export function createWatcher({
  db,
  clock,
  log,
  intervalMs = 250,
}: {
  db: Database
  clock: Clock
  log: Log
  intervalMs?: number
}): Watcher {
  const waiting = new Map<string, Set<Waiter>>()
  /** The row versions that the last check saw, by import. */
  const versions = new Map<string, string>()
  let running = false

  async function run() {
    running = true
    while (waiting.size > 0) {
      await check().catch((error: unknown) => log.warn({ err: error }, 'could not look at watched imports'))
      await new Promise((resolve) => setTimeout(resolve, intervalMs).unref())
    }
    running = false
  }

  async function check() {
    const ids = [...waiting.keys()]
    const rows = await db
      .select({ id: imports.id, version: sql<string>`concat(${imports}.xmin, ' ', ${polling}.xmin)` })
      .from(imports)
      .leftJoin(polling, eq(polling.importId, imports.id))
      .where(inArray(imports.id, ids))
    const there = new Set(rows.map(({ id }) => id))
    for (const id of ids) if (!there.has(id)) endWaiting(id)
    const moved = rows.filter(({ id, version }) => versions.get(id) !== version)
    for (const change of await getImports(
      { db, clock },
      moved.map(({ id }) => id),
    ))
      show(change)
    for (const { id, version } of moved) versions.set(id, version)
  }

  function forget(importId: string) {
    waiting.delete(importId)
    versions.delete(importId)
  }

  /** Wakes the waiters that haven't seen this. A row also changes in columns that the API doesn't show. */
  function show(change: ApiImport) {
    const text = JSON.stringify(change)
    for (const waiter of waiting.get(change.id) ?? []) if (waiter.shown !== text) waiter.wake(change)
  }

  /** Ends the waiting for a deleted import. */
  function endWaiting(importId: string) {
    for (const waiter of waiting.get(importId) ?? []) waiter.wake(null)
  }

  function nextChange(importId: string, shown: string, signal: AbortSignal): Promise<ApiImport | null> {
    return new Promise((resolve) => {
      const waiters = waiting.get(importId) ?? new Set()
      waiting.set(importId, waiters)
      const leave = (change: ApiImport | null) => {
        waiters.delete(waiter)
        if (waiters.size === 0) forget(importId)
        signal.removeEventListener('abort', abort)
        resolve(change)
      }
      const abort = () => leave(null)
      const waiter: Waiter = { shown, wake: leave }
      waiters.add(waiter)
      versions.delete(importId) // the import may have changed since this waiter last saw it
      signal.addEventListener('abort', abort)
      if (!running) void run()
    })
  }

  return {
    async *changes(importId, signal) {
      let current: ApiImport | null = await getImport({ db, clock }, importId)
      while (current !== null) {
        yield current
        if (signal.aborted || isOver(current.state)) return
        current = await nextChange(importId, JSON.stringify(current), signal)
      }
    },
  }
}
