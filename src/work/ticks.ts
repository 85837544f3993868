// Owns the work of a tick: it claims due work, and again while there is more. The caller provides what a pass does.
import { setTimeout as delay } from 'node:timers/promises'
import type { Payload } from '../queue/jobs.ts'
import type { WorkName } from './kind.ts'
import type { WatchedKind } from './tick-watch.ts'

export type TickKind = Payload<'dispatch'>['kind']
/** The ticks that do their work themselves. */
export type Chore = Exclude<TickKind, WorkName>

export interface TickDeps {
  /** Each claims and enqueues due work once, and returns true if there is more. */
  enqueueDue: Record<WorkName, () => Promise<boolean>>
  /** Each does its work, and reports every successful pass. */
  chores: Record<Chore, (signal: AbortSignal, passed: () => void) => Promise<void>>
  /** Called for every successful pass. A tick makes several while there is more. */
  passed?(kind: WatchedKind): void
}

/** The wait between two passes while there is more than may begin at once. */
const pauseMs: Record<WorkName, number> = { poll: 50, collect: 100, deliver: 15 }

/**
 * Returns the processor of the `dispatch` queue. If this process is already claiming, a tick starts no second pass; the
 * running one repeats when it is done.
 */
export function createTick(deps: TickDeps): (payload: Payload<'dispatch'>, signal: AbortSignal) => Promise<void> {
  const running = new Map<TickKind, Run>()
  const passed = (kind: WatchedKind) => deps.passed?.(kind)

  async function singleFlight(kind: TickKind, work: (state: Run) => Promise<void>): Promise<void> {
    const same = running.get(kind)
    if (same && performance.now() - same.aliveAt < abandonedAfterMs(kind)) {
      same.again = true
      return
    }
    const state = { again: false, aliveAt: performance.now() }
    running.set(kind, state)
    try {
      await work(state)
    } finally {
      if (running.get(kind) === state) running.delete(kind)
    }
  }

  async function look(kind: WorkName, state: Run, signal: AbortSignal): Promise<void> {
    do {
      state.again = false
      if (await deps.enqueueDue[kind]()) state.again = true
      state.aliveAt = performance.now()
      passed(kind)
      if (state.again) await delay(pauseMs[kind])
    } while (state.again && !signal.aborted)
  }

  return async ({ kind }, signal) => {
    if (kind === 'maintain') return singleFlight(kind, () => deps.chores.maintain(signal, () => {}))
    if (kind === 'roll-up') return singleFlight(kind, () => deps.chores['roll-up'](signal, () => passed(kind)))
    return singleFlight(kind, (state) => look(kind, state, signal))
  }
}

/** A run: only one tick of its kind does its work at a time. */
interface Run {
  /** A tick came meanwhile. */
  again: boolean
  /** When the run last made progress, of `performance.now()`. */
  aliveAt: number
}

/**
 * After this long without progress, a run loses its place to the next tick, so that a hanging run doesn't stop the
 * others.
 */
function abandonedAfterMs(kind: TickKind): number {
  return kind === 'roll-up' || kind === 'maintain' ? 2 * 3_600_000 : 60_000
}
