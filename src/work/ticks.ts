// Owns what a tick does: it looks for what is due, and it looks again while there is more. What a look does is handed in.
import { setTimeout as delay } from 'node:timers/promises'
import { deliveryLanes, type Payload, type QueueName } from '../queue/jobs.ts'
import type { Pass } from './tick-watch.ts'

export type TickKind = Payload<'dispatch'>['kind']
/** Ticks that do their work themselves. */
export type Chore = 'roll-up' | 'maintain'
export type WorkKind = Exclude<TickKind, Chore>

/** A queue that the ticks fill, looked at apart from the others: a long look at one must not hold up another. */
export type Look = Exclude<QueueName, 'dispatch'>

export interface TickDeps {
  /** Each claims and enqueues what is due once; true: there is more. */
  enqueueDue: Record<Look, () => Promise<boolean>>
  /** Each does its work, and tells of every pass that went well. */
  chores: Record<Chore, (signal: AbortSignal, passed: () => void) => Promise<void>>
  /** Told of every pass that went well: a tick makes several while there is more. */
  passed?(what: Pass): void
}

const looks: Record<WorkKind, readonly Look[]> = { poll: ['poll'], collect: ['collect'], deliver: deliveryLanes }
/**
 * How long to wait between two looks while there is more than may start at once. A look at trials and retries takes
 * long with a thousand endpoints, and these don't hurry.
 */
const pauseMs: Record<Look, number> = { poll: 50, collect: 100, deliver: 15, trial: 250, retry: 250 }

/**
 * The processor of the `dispatch` queue. A look that is going on in this process when a tick comes is left the work, and
 * is made once more.
 */
export function createTick(deps: TickDeps): (payload: Payload<'dispatch'>, signal: AbortSignal) => Promise<void> {
  const running = new Map<Look | Chore, Run>()
  const passed = (what: Pass) => deps.passed?.(what)

  async function singleFlight(what: Look | Chore, work: (state: Run) => Promise<void>): Promise<void> {
    const same = running.get(what)
    if (same && performance.now() - same.aliveAt < abandonedAfterMs(what)) {
      same.again = true
      return
    }
    const state = { again: false, aliveAt: performance.now() }
    running.set(what, state)
    try {
      await work(state)
    } finally {
      if (running.get(what) === state) running.delete(what)
    }
  }

  async function look(what: Look, state: Run, signal: AbortSignal): Promise<void> {
    do {
      state.again = false
      if (await deps.enqueueDue[what]()) state.again = true
      state.aliveAt = performance.now()
      passed(what)
      if (state.again) await delay(pauseMs[what])
    } while (state.again && !signal.aborted)
  }

  return async ({ kind }, signal) => {
    if (kind === 'maintain') return singleFlight(kind, () => deps.chores.maintain(signal, () => {}))
    if (kind === 'roll-up') return singleFlight(kind, () => deps.chores['roll-up'](signal, () => passed(kind)))
    const made = await Promise.allSettled(
      looks[kind].map((what) => singleFlight(what, (state) => look(what, state, signal))),
    )
    for (const one of made) if (one.status === 'rejected') throw one.reason
  }
}

/** Something that is looked at or done by one tick at a time. */
interface Run {
  /** A tick came meanwhile. */
  again: boolean
  /** When it last got on; of `performance.now()`. */
  aliveAt: number
}

/** After how long without getting on a run has lost its place to the next tick: whatever hangs mustn't stop the others. */
function abandonedAfterMs(what: Look | Chore): number {
  return what === 'roll-up' || what === 'maintain' ? 2 * 3_600_000 : 60_000
}
