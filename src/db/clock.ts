// Owns the time that all processes share: the database's. A machine whose clock is wrong would lease for too long or too
// short, and put off work for days; so its clock is believed only as far as the database's agrees.
import { setTimeout as delay } from 'node:timers/promises'
import { sql } from 'drizzle-orm'
import { after, type Clock } from '../base/clock.ts'
import { makeIdsBehind } from '../base/ids.ts'
import type { Log } from '../base/log.ts'
import type { Database } from './client.ts'

export interface DatabaseClock extends Clock {
  /** How far the machine's clock is ahead of the database's, in milliseconds; 0: not worth mentioning. */
  aheadMs(): number
  /** Asks the database again. Where it doesn't answer, time goes on as it did. */
  measure(): Promise<void>
  stop(): void
}

interface ClockDeps {
  db: Pick<Database, 'execute'>
  clock: Clock
  log: Log
  /** In milliseconds, of a clock that nobody sets. */
  uptime?: () => number
}

const measureEveryMs = 5_000
/** As much as machines may differ that keep their time by NTP, and as an answer may take. */
const toleratedMs = 1_000

/** Measured once before it is returned, and every few seconds from then on. */
export async function startDatabaseClock(deps: ClockDeps): Promise<DatabaseClock> {
  const { db, clock, log, uptime = () => performance.now() } = deps
  const stopping = new AbortController()
  // From here on by the uptime, so that a clock that is set meanwhile changes nothing.
  let base = { at: clock.now(), uptime: uptime() }
  let aheadMs = 0

  async function measure(): Promise<void> {
    const askedAt = uptime()
    const { rows } = await db.execute<{ now: string }>(sql`SELECT clock_timestamp()::text AS now`)
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
