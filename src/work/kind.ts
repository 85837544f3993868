// Owns the interface of a kind of work. claim.ts finds owners with due work, and serve.ts does the rest: due → leased →
// done → recorded, once for all kinds.
import type { Database, Transaction } from '../db/client.ts'

/** The kinds of work. Code that makes work due wakes its kind. */
export type WorkName = 'poll' | 'collect' | 'deliver'

/** One thing to do: an import to poll, a webhook to send. */
export interface Item {
  id: string
  /** The connection or endpoint that it belongs to. One worker at a time serves it. */
  ownerId: string
}

/** An owner that this process serves. */
export interface Served<I extends Item> {
  id: string
  /** The items that have begun and aren't recorded yet. */
  underWay: ReadonlyMap<string, I>
  /** True: its items have ended quickly of late. */
  isQuick: boolean
}

/** The items that begin now. */
export interface Begun<I extends Item> {
  items: I[]
  /**
   * When more may begin, by owner. Now: there was no room for more. Absent: nothing is due, or something under way has
   * to end first.
   */
  next: ReadonlyMap<string, Date>
  /** When an owner takes something again, whatever becomes due before, unless something of it ends. */
  closed?: ReadonlyMap<string, Date>
}

/** The lease that work runs under, as its holder sees it. */
export interface Hold {
  leaseId: string
  /**
   * Returns true if a request may begin, because no other worker can serve the owner yet. By a clock that nobody sets.
   */
  isHeld(): boolean
  /** Aborts when work has to end now. */
  signal: AbortSignal
}

/** The result of recording a round. */
export interface Recorded {
  /** The kinds of work that became due. */
  due: ReadonlySet<WorkName>
  /** Logs and counts the round. Call it once the transaction has committed. */
  report(): void
}

export interface Kind<I extends Item, Done extends { item: I }> {
  name: WorkName
  /** How many requests one process has under way at most. */
  most: number
  /**
   * The shortest time between two passes, in milliseconds. Outcomes gather meanwhile: fewer statements, each a little
   * later.
   */
  restMs: number
  /**
   * How many owners one pass checks at most, so that it stays short: quick ones, whose items have ended quickly of
   * late, and others. Absent: all that may have something due.
   */
  mostLooked?: { quick: number; others: number }
  /** True: no other kind of work shares its owners, so leases needn't say how much is under way. */
  isAlone?: boolean
  /**
   * How long an owner without due work keeps its lease, in milliseconds, while it is checked again and again. Absent:
   * the lease ends at once.
   */
  lingerMs?: number
  /** Returns owners with work that may begin now, the longest due first, without those that are served. */
  due(db: Database, now: Date, limit: number): Promise<string[]>
  /** Returns owners in trouble, which `due` leaves out. They get a worker after the others, and few at a time. */
  dueInTrouble?(db: Database, now: Date, limit: number): Promise<string[]>
  /** Reads what may begin now for these owners, at most `room` items, and stores that it has begun. */
  begin(tx: Transaction, owners: readonly Served<I>[], room: number, now: Date): Promise<Begun<I>>
  /** Calls the outside world for one item. It writes nothing, and never throws for what the other side does. */
  act(item: I, hold: Hold): Promise<Done | 'aborted'>
  /** Stores the results in the caller's transaction. Items that have moved on meanwhile stay unchanged. */
  record(tx: Transaction, done: readonly Done[], now: Date): Promise<Recorded>
  /** Puts off an item whose outcome can't be stored, and says so on it. */
  putOff(tx: Transaction, item: I, error: Error, now: Date): Promise<void>
}
