// Owns what a tick does: it looks for what is due, and it looks again while there is more. What a look does is handed in.
import { setTimeout as delay } from 'node:timers/promises'
import type { Payload } from '../queue/jobs.ts'
import type { WorkName } from './kind.ts'
import type { WatchedKind } from './tick-watch.ts'

export type TickKind = Payload<'dispatch'>['kind']
/** Ticks that do their work themselves. */
export type Chore = Exclude<TickKind, WorkName>

export interface TickDeps {
  /** Each claims and enqueues what is due once; true: there is more. */
  enqueueDue: Record<WorkName, () => Promise<boolean>>
  /** Each does its work, and tells of every pass that went well. */
  chores: Record<Chore, (signal: AbortSignal, passed: () => void) => Promise<void>>
  /** Told of every pass that went well: a tick makes several while there is more. */
  passed?(kind: WatchedKind): void
}

/** How long to wait between two looks while there is more than may start at once. */
const pauseMs: Record<WorkName, number> = { poll: 50, collect: 100, deliver: 15 }

/**
 * The processor of the `dispatch` queue. A look that is going on in this process when a tick comes is left the work, and
 * is made once more.
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

/** Something that is looked at or done by one tick at a time. */
interface Run {
  /** A tick came meanwhile. */
  again: boolean
  /** When it last got on; of `performance.now()`. */
  aliveAt: number
}

/** After how long without getting on a run has lost its place to the next tick: whatever hangs mustn't stop the others. */
function abandonedAfterMs(kind: TickKind): number {
  return kind === 'roll-up' || kind === 'maintain' ? 2 * 3_600_000 : 60_000
}
