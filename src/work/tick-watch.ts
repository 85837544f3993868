// Owns when the ticks of each kind last did their work in this process, whoever asked for them, and makes one where the
// queue has brought none for long: with many processes a tick may always go to another one, and a queue can fail.

/** The kinds that come often enough to be missed. */
export type WatchedKind = 'poll' | 'collect' | 'deliver' | 'roll-up'

/** Without a pass for this long, in milliseconds, this process makes one by itself. */
const patienceMs: Record<WatchedKind, number> = { poll: 5_000, collect: 5_000, deliver: 5_000, 'roll-up': 75_000 }
/** Without one for this long it isn't ready any more. */
const silentAfterMs: Record<WatchedKind, number> = {
  poll: 30_000,
  collect: 30_000,
  deliver: 30_000,
  'roll-up': 120_000,
}
const kinds = Object.keys(patienceMs) as WatchedKind[]

export interface TickWatch {
  /** To be called at the end of every pass that went well. */
  passed(kind: WatchedKind): void
  /** Since the last pass of each kind, in milliseconds. */
  ages(): Record<WatchedKind, number>
  /** The kinds that have done nothing for so long that something must be wrong. */
  silent(): WatchedKind[]
  /** The kinds that this process should tick by itself now. */
  missed(): WatchedKind[]
}

/** @param uptime in milliseconds, of a clock that nobody sets. */
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
