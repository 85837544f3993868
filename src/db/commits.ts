// Owns noticing that something was committed, whatever it was: one small statement at an interval for all who wait in
// this process. No code has to report a change, so none can forget to.
import { sql } from 'drizzle-orm'
import type { Log } from '../base/log.ts'
import type { Database } from './client.ts'

export interface CommitWatch {
  /**
   * Resolves with the present mark once it differs from the given one. Null: nothing is known yet, so the first mark
   * that is read will do. Resolves with the given mark when the signal aborts.
   */
  after(mark: string | null, signal: AbortSignal): Promise<string | null>
}

/**
 * The mark is Postgres' snapshot: which transactions are visible. A transaction that writes changes the snapshot when it
 * commits, however late. A transaction that only reads changes nothing. This statement touches no table. Other databases
 * of the cluster change the snapshot, too, so a waiter may be told of a commit that isn't ours.
 */
const readMark = sql`/* commit.mark */ SELECT pg_current_snapshot()::text AS mark`

/** @param deps.intervalMs how long the watch waits between two statements. While nobody waits it makes none. */
export function createCommitWatch({
  db,
  log,
  intervalMs = 350,
}: {
  db: Database
  log: Log
  intervalMs?: number
}): CommitWatch {
  const waiting = new Set<(mark: string) => void>()
  let running = false

  async function run() {
    running = true
    while (waiting.size > 0) {
      await look().catch((error: unknown) => log.warn({ err: error }, 'could not look for commits'))
      await new Promise((resolve) => setTimeout(resolve, intervalMs).unref())
    }
    running = false
  }

  async function look() {
    const { rows } = await db.execute<{ mark: string }>(readMark)
    for (const { mark } of rows) for (const tell of [...waiting]) tell(mark)
  }

  return {
    after(mark, signal) {
      return new Promise((resolve) => {
        const leave = (found: string | null) => {
          waiting.delete(tell)
          signal.removeEventListener('abort', abort)
          resolve(found)
        }
        const abort = () => leave(mark)
        const tell = (found: string) => {
          if (found !== mark) leave(found)
        }
        if (signal.aborted) return resolve(mark)
        signal.addEventListener('abort', abort)
        waiting.add(tell)
        if (!running) void run()
      })
    },
  }
}
