// Owns when the ticks of each kind last did their work in this process, and making one if the queue has brought none
// for long. With many processes, a tick may always go to another one; and a queue can fail.

/** The kinds whose ticks come often enough to be missed. */
export type WatchedKind = 'poll' | 'collect' | 'deliver' | 'roll-up'

/** How long this process waits for a pass, in milliseconds, before it makes a tick itself. */
const patienceMs: Record<WatchedKind, number> = { poll: 5_000, collect: 5_000, deliver: 5_000, 'roll-up': 75_000 }
/** How long without a pass before the process isn't ready any more. */
const silentAfterMs: Record<WatchedKind, number> = {
  poll: 30_000,
  collect: 30_000,
  deliver: 30_000,
  'roll-up': 120_000,
}
const kinds = Object.keys(patienceMs) as WatchedKind[]

export interface TickWatch {
  /** Call it at the end of every successful pass. */
  passed(kind: WatchedKind): void
  /** Returns the time since the last pass of each kind, in milliseconds. */
  ages(): Record<WatchedKind, number>
  /** Returns the kinds without a pass for so long that something must be wrong. */
  silent(): WatchedKind[]
  /** Returns the kinds that this process should tick itself now. */
  missed(): WatchedKind[]
}

/** @param uptime the process's uptime in milliseconds, by a clock that nobody sets. */
export function createTickWatch(uptime: () => number = () => performance.now()): TickWatch {
  const since = uptime()
  const at = new Map<WatchedKind, number>()
  const age = (kind: WatchedKind) => uptime() - (at.get(kind) ?? since)
  const older = (than: Record<WatchedKind, number>) => kinds.filter((kind) => age(kind) > than[kind])
  return {
    passed: (kind) => void at.set(kind, uptime()),
    ages: () => Object.fromEntries(kinds.map((kind) => [kind, age(kind)])) as Record<WatchedKind, number>,
    silent: () => older(silentAfterMs),
    missed: () => older(patienceMs),
  }
}
