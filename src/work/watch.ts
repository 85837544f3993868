// Owns whether this process's work goes on: the ticks of each kind, and due work. Health and metrics ask it.
import { setTimeout as delay } from 'node:timers/promises'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { isDatabaseAway } from '../db/unreachable.ts'
import type { Payload } from '../queue/jobs.ts'
import type { Queues } from '../queue/queues.ts'
import { createOverdueWatch, type OverdueDeps, type OverdueWatch } from './overdue.ts'
import type { TickWatch, WatchedKind } from './tick-watch.ts'

export interface WorkWatch {
  /** @throws if a kind of tick has done nothing for long. */
  checkTicks(): void
  /** @throws if work that may begin is overdue. */
  checkOverdue(): void
  /**
   * Returns false if only a restart can help: a kind of tick has had no pass for minutes, although no store is
   * unreachable or refuses it.
   */
  canRecover(): boolean
  tickAges: TickWatch['ages']
  lateness: OverdueWatch['lateness']
  stop(): void
}

export interface WatchDeps extends Pick<OverdueDeps, 'dueOf'> {
  clock: Clock
  log: Log
  queues: Pick<Queues, 'all' | 'ping'>
  ticks: TickWatch
  tick(payload: Payload<'dispatch'>, signal: AbortSignal): Promise<void>
  /** Mends stored times that no rule could have set. `thorough` reads all pending work. */
  mendTimes(now: Date, how: { thorough: boolean }): Promise<void>
  pace?: WatchPace
}

/** All in milliseconds. */
interface WatchPace {
  tickEveryMs: number
  lookEveryMs: number
  /** How long a kind of tick may make no progress, with both stores answering, before only a restart can help. */
  hopelessAfterMs: number
}

const usualPace: WatchPace = { tickEveryMs: 1_000, lookEveryMs: 10_000, hopelessAfterMs: 5 * 60_000 }
/** Every how many checks one is thorough, the first one included. */
const thoroughEvery = 6
/** A tick that a store refuses is tried again every second. A tick that a store leaves waiting fails after ten. */
const refusedForMs = 30_000

/** Starts watching. If no tick of a kind comes for seconds, it makes one. */
export function startWatch({
  clock,
  log,
  queues,
  ticks,
  tick,
  mendTimes,
  dueOf,
  pace = usualPace,
}: WatchDeps): WorkWatch {
  const stopping = new AbortController()
  const { signal } = stopping
  const overdue = createOverdueWatch({ queues, dueOf })
  let hopelessSince: number | null = null

  /** When a store last refused a tick of the kind: its disk is full, or it takes no writes now. */
  const refusedAt = new Map<WatchedKind, number>()
  const missing = new Set<WatchedKind>()
  async function makeMissed(kind: WatchedKind): Promise<void> {
    if (missing.has(kind)) return
    missing.add(kind)
    await tick({ kind }, signal).catch((error: unknown) => {
      log.debug({ err: error, kind }, 'tick failed')
      if (isDatabaseAway(error) || isRedisRefusing(error)) refusedAt.set(kind, performance.now())
    })
    missing.delete(kind)
  }

  function isRefused(kind: WatchedKind): boolean {
    return performance.now() - (refusedAt.get(kind) ?? Number.NEGATIVE_INFINITY) < refusedForMs
  }

  let looks = 0
  async function look(): Promise<void> {
    const thorough = looks++ % thoroughEvery === 0
    await mendTimes(clock.now(), { thorough }).catch((error: unknown) => log.debug({ err: error }, 'times not mended'))
    const answered = await Promise.all([overdue.look(clock.now()), queues.ping()]).then(
      () => true,
      () => false,
    )
    const isHopeless = answered && ticks.silent().some((kind) => !isRefused(kind))
    hopelessSince = isHopeless ? (hopelessSince ?? performance.now()) : null
  }

  void every(pace.tickEveryMs, signal, async () => {
    for (const kind of ticks.missed()) void makeMissed(kind)
  })
  void look().then(() => every(pace.lookEveryMs, signal, look))

  return {
    checkTicks() {
      const silent = ticks.silent()
      if (silent.length > 0) throw new Error(`No tick of this kind has got through for too long: ${silent.join(', ')}.`)
    },
    checkOverdue() {
      const kinds = overdue.overdue()
      if (kinds.length > 0) throw new Error(`Work of this kind is overdue by more than a minute: ${kinds.join(', ')}.`)
    },
    canRecover: () => hopelessSince === null || performance.now() - hopelessSince < pace.hopelessAfterMs,
    tickAges: ticks.ages,
    lateness: overdue.lateness,
    stop: () => stopping.abort(),
  }
}

/** Does the work again and again, one run after the other, until the signal aborts. */
async function every(ms: number, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    await delay(ms, undefined, { signal, ref: false }).catch(() => undefined)
    if (!signal.aborted) await work()
  }
}

/** Returns true for a Redis that answers a ping but takes no job, such as a replica, or one that is full. */
function isRedisRefusing(error: unknown): boolean {
  return error instanceof Error && (error.name === 'ReplyError' || isRedisRefusing(error.cause))
}
