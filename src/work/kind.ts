// Owns what a kind of work says of itself. claim.ts finds owners that have some due, and serve.ts does the rest: due →
// leased → done → recorded, once for all kinds.
import type { Database, Transaction } from '../db/client.ts'

/** What is due of a kind of work, and woken by whoever made it due. */
export type WorkName = 'poll' | 'collect' | 'deliver'

/** One thing to do: an import to ask about, a webhook to send. */
export interface Item {
  id: string
  /** The connection or endpoint that it belongs to, which one worker at a time serves. */
  ownerId: string
}

/** An owner that this process serves. */
export interface Served<I extends Item> {
  id: string
  /** Begun and not recorded yet. */
  underWay: ReadonlyMap<string, I>
}

/** What may begin now. */
export interface Begun<I extends Item> {
  items: I[]
  /**
   * When more may begin, by owner; now: there was no room for more. Absent: nothing is due, or what is under way has to
   * end first.
   */
  next: ReadonlyMap<string, Date>
  /** Owners that take nothing before this, whatever becomes due, unless something of them ends. */
  closed?: ReadonlyMap<string, Date>
}

/** The lease that work is done under, as the one who holds it sees it. */
export interface Hold {
  leaseId: string
  /** Whether a request may begin: another worker can't serve the owner yet. By a clock that nobody sets. */
  isHeld(): boolean
  /** Aborts when work is to end now. */
  signal: AbortSignal
}

/** What a round of outcomes led to. */
export interface Recorded {
  /** What has become due. */
  due: ReadonlySet<WorkName>
  /** To be called when the transaction is committed: logs and counts what was done. */
  report(): void
}

export interface Kind<I extends Item, Done extends { item: I }> {
  name: WorkName
  /** How many requests one process has under way at the most. */
  most: number
  /** Between two passes at least, in milliseconds, so that outcomes gather: fewer statements, and each a little later. */
  restMs: number
  /**
   * Owners that one pass looks at, at the most, so that it stays short: quick owners, of which something has just ended,
   * and others. Absent: all that may have something due.
   */
  mostLooked?: { quick: number; others: number }
  /** Nothing else draws on its owners, so that their leases needn't say how much is under way. */
  isAlone?: boolean
  /**
   * How long an owner keeps its lease, in milliseconds, though nothing of it is due any more; it is looked at again and
   * again meanwhile. Absent: it gives it back at once.
   */
  lingerMs?: number
  /** Owners of which something may begin now, the longest due first, but not those that are served. */
  due(db: Database, now: Date, limit: number): Promise<string[]>
  /** The same of owners in trouble, which aren't among those: they get a worker after the others, and few at a time. */
  dueInTrouble?(db: Database, now: Date, limit: number): Promise<string[]>
  /** Reads what may begin now of these owners, at most `room` items, and writes down that it has begun. */
  begin(tx: Transaction, owners: readonly Served<I>[], room: number, now: Date): Promise<Begun<I>>
  /** The outside world for one item: writes nothing, and never throws for what the other side does. */
  act(item: I, hold: Hold): Promise<Done | 'aborted'>
  /** Stores what came of these, in the caller's transaction. What has moved on meanwhile is left as it is. */
  record(tx: Transaction, done: readonly Done[], now: Date): Promise<Recorded>
  /** Puts off an item whose outcome can't be stored, and says so on it. */
  putOff(tx: Transaction, item: I, error: Error, now: Date): Promise<void>
}
