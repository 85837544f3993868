// Owns what a process knows of an owner that it serves: its lease, its turn, and its items under way.
import type { Item } from './kind.ts'
import type { Lease } from './leases.ts'

/** A job that a worker has just taken. */
export interface Arriving {
  leaseId: string
  signal: AbortSignal
  /** Settles `serve`. */
  left: PromiseWithResolvers<void>
}

export interface Held<I extends Item> {
  lease: Lease
  /** The job's signal, which aborts when work has to end now. */
  signal: AbortSignal
  /** The same, and where the lease is lost: what still waits for a connection must not be sent after that. */
  cutOff: AbortController
  underWay: Map<string, I>
  /** In the process's uptime, as all times here. Until when the lease is ours, … */
  heldUntil: number
  /** … when to check for due items, … */
  lookAt: number
  /** (not before this, unless something ends), … */
  closedUntil: number
  /** (something may have become due since the running check), … */
  isOutdated: boolean
  /** … when something last began or ended, … */
  stirredAt: number
  /** … and when the owner's turn is over. */
  turnUntil: number
  /** Settles `serve`. */
  leave(): void
}

/** Returns an owner of which nothing is under way yet. */
export function holdOwner<I extends Item>(
  lease: Lease,
  { signal, left }: Arriving,
  { at, heldUntil, turnUntil }: { at: number; heldUntil: number; turnUntil: number },
): Held<I> {
  const cutOff = new AbortController()
  const hurry = () => cutOff.abort()
  signal.addEventListener('abort', hurry, { once: true })
  if (signal.aborted) hurry()
  return {
    lease,
    signal,
    cutOff,
    underWay: new Map(),
    heldUntil,
    lookAt: at,
    closedUntil: at,
    isOutdated: false,
    stirredAt: at,
    turnUntil,
    leave() {
      signal.removeEventListener('abort', hurry)
      left.resolve()
    },
  }
}
