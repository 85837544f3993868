// Owns the time that all processes share: the database's. A machine with a wrong clock would lease for too long or too
// short, and put off work for days. So its clock counts only while it agrees with the database's.
import { setTimeout as delay } from 'node:timers/promises'
import { sql } from 'drizzle-orm'
import { after, type Clock } from '../base/clock.ts'
import { makeIdsBehind } from '../base/ids.ts'
import type { Log } from '../base/log.ts'
import type { Database } from './client.ts'

export interface DatabaseClock extends Clock {
  /** By how many milliseconds the machine's clock is ahead of the database's. 0: within the tolerance. */
  aheadMs(): number
  /** Asks the database again. If the database doesn't answer, time goes on as before. */
  measure(): Promise<void>
  stop(): void
}

interface ClockDeps {
  db: Pick<Database, 'execute'>
  clock: Clock
  log: Log
  /** The process's uptime in milliseconds, by a clock that nobody sets. */
  uptime?: () => number
}

const measureEveryMs = 5_000
/** NTP keeps machines within this difference, and an answer takes no longer. */
const toleratedMs = 1_000

/** Starts the clock. It measures once before it returns, and then every few seconds. */
export async function startDatabaseClock(deps: ClockDeps): Promise<DatabaseClock> {
  const { db, clock, log, uptime = () => performance.now() } = deps
  const stopping = new AbortController()
  // From here on the uptime counts, so setting the machine's clock changes nothing.
  let base = { at: clock.now(), uptime: uptime() }
  let aheadMs = 0

  async function measure(): Promise<void> {
    const askedAt = uptime()
    const { rows } = await db.execute<{ now: string }>(sql`/* database.clock */ SELECT clock_timestamp()::text AS now`)
    const answeredAt = uptime()
    const machine = clock.now()
    const tookMs = answeredAt - askedAt
    if (tookMs > toleratedMs) return // too slow to tell
    const database = after(new Date(rows[0]?.now ?? machine), tookMs / 2)
    const differenceMs = machine.getTime() - database.getTime()
    const isOff = Math.abs(differenceMs) > toleratedMs
    if (isOff && aheadMs === 0)
      log.warn({ aheadMs: Math.round(differenceMs) }, "this machine's clock is off; the database's is used")
    aheadMs = isOff ? differenceMs : 0
    const systemAheadMs = Date.now() - database.getTime()
    makeIdsBehind(Math.abs(systemAheadMs) > toleratedMs ? systemAheadMs : 0)
    base = { at: isOff ? database : machine, uptime: answeredAt }
  }

  await measure()
  void (async () => {
    while (!stopping.signal.aborted) {
      await delay(measureEveryMs, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined)
      if (!stopping.signal.aborted) await measure().catch(() => undefined)
    }
  })()
  return {
    now: () => after(base.at, uptime() - base.uptime),
    aheadMs: () => aheadMs,
    measure,
    stop: () => stopping.abort(),
  }
}
