// Owns recording what has ended, of all owners together, in rounds: one transaction each. If Postgres refuses a round,
// its halves are recorded, down to the one outcome that can't be stored, which is put off.
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { briefTransaction } from '../db/brief-transaction.ts'
import type { Database, Transaction } from '../db/client.ts'
import { isDatabaseAway, mayPass } from '../db/unreachable.ts'
import type { Held } from './held.ts'
import type { Item, Kind, Recorded, WorkName } from './kind.ts'
import { lockLeases } from './leases.ts'

/** How many results one transaction records at most. */
const mostRecorded = 300
/**
 * How long a round waits for a row that another transaction has locked, in milliseconds. A row that was locked before gets
 * less time, because everything that has ended meanwhile waits as well.
 */
const waitForRowMs = { first: 500, again: 20 }
/** The owners that this process serves. */
export interface ServedOwners<I extends Item> {
  get(ownerId: string): Held<I> | undefined
  all(): Iterable<Held<I>>
  /** Forgets an owner whose lease is over. */
  lose(held: Held<I>): void
  /** Takes an item off those under way. */
  end(item: I): void
  /** Returns true if nothing of this owner begins ever again. */
  isEnding(held: Held<I>): boolean
}

export interface RoundsDeps<I extends Item> {
  db: Database
  clock: Clock
  log: Log
  wake(due: Iterable<WorkName>): void
  /** The process's uptime in milliseconds, by a clock that nobody sets. */
  uptime(): number
  pace: { heldUpMs: number; keepInHandMs: number }
  owners: ServedOwners<I>
}

/** An item whose work threw. */
interface Failed<I extends Item> {
  item: I
  error: Error
}

export interface Rounds<I extends Item, Done> {
  /** Takes an outcome, for the next round. */
  ended(done: Done): void
  failed(failed: Failed<I>): void
  /** Records a round. Throws if the database is away, and then keeps what is left. */
  record(): Promise<void>
  /** When the next round is due, in the process's uptime. Infinity: when something ends. */
  nextAt(): number
}

export function createRounds<I extends Item, Done extends { item: I }>(
  kind: Pick<Kind<I, Done>, 'name' | 'record' | 'putOff'>,
  { db, clock, log, wake, uptime, pace, owners }: RoundsDeps<I>,
): Rounds<I, Done> {
  const { end } = owners
  let ended: Done[] = []
  let failed: Failed<I>[] = []
  /** Outcomes whose rows another transaction had locked, and when each is tried again, by itself. */
  const heldUp = new Map<Done, number>()
  /** Items that nobody may begin again yet, and until when. */
  const inHand = new Map<I, number>()

  async function record(): Promise<void> {
    forgetLost()
    letGo()
    const round = ended.slice(0, mostRecorded)
    if (round.length > 0) {
      await recordRound(round, waitForRowMs.first)
      ended = ended.slice(round.length)
    }
    const again = [...heldUp].find(([, at]) => uptime() >= at)
    if (again) {
      await recordRound([again[0]], waitForRowMs.again)
      if (heldUp.get(again[0]) === again[1]) heldUp.delete(again[0])
    }
    for (const one of [...failed]) {
      await putOff(one)
      failed = failed.filter((other) => other !== one)
    }
  }

  /** Drops outcomes of owners whose leases have ended. Nobody records them. */
  function forgetLost(): void {
    ended = ended.filter(({ item }) => isUnderWay(item))
    failed = failed.filter(({ item }) => isUnderWay(item))
    for (const one of heldUp.keys()) if (!isUnderWay(one.item)) heldUp.delete(one)
  }

  function letGo(): void {
    for (const [item, until] of inHand) {
      const held = owners.get(item.ownerId)
      if (held && isUnderWay(item) && uptime() < until && !owners.isEnding(held)) continue
      inHand.delete(item)
      end(item)
    }
  }

  function isUnderWay(item: I): boolean {
    return owners.get(item.ownerId)?.underWay.get(item.id) === item
  }

  /** Records a round. If a part of it can't be stored, or has to wait, records halves, down to that one outcome. */
  async function recordRound(round: readonly Done[], waitMs: number): Promise<void> {
    try {
      await recordTogether(round, waitMs)
    } catch (error) {
      if (isDatabaseAway(error)) throw error
      if (round.length > 1) {
        const half = round.length >> 1
        const againMs = mayPass(error) ? waitForRowMs.again : waitMs
        await recordRound(round.slice(0, half), againMs)
        return recordRound(round.slice(half), againMs)
      }
      const [one] = round as [Done]
      heldUp.delete(one) // the others come first the next time
      if (mayPass(error)) heldUp.set(one, uptime() + pace.heldUpMs)
      else await putOff({ item: one.item, error: error as Error })
    }
  }

  async function recordTogether(round: readonly Done[], waitMs: number): Promise<void> {
    const now = clock.now()
    const recorded = await briefTransaction(db, async (tx): Promise<Recorded | null> => {
      const ours = await stillOurs(tx, round, { now, waitMs })
      return ours.length > 0 ? kind.record(tx, ours, now) : null
    })
    for (const { item } of round) end(item)
    recorded?.report()
    if (recorded && recorded.due.size > 0) wake(recorded.due)
  }

  /** Returns the items whose leases aren't over. No worker can take these leases over until the transaction ends. */
  async function stillOurs<One extends { item: I }>(
    tx: Transaction,
    round: readonly One[],
    { now, waitMs }: { now: Date; waitMs: number },
  ): Promise<One[]> {
    const leases = new Set(
      round.flatMap(({ item }) => (isUnderWay(item) ? (owners.get(item.ownerId)?.lease.id ?? []) : [])),
    )
    const valid = await lockLeases(tx, [...leases], now, waitMs)
    for (const held of owners.all()) if (leases.has(held.lease.id) && !valid.has(held.lease.id)) owners.lose(held)
    return round.filter(({ item }) => isUnderWay(item))
  }

  async function putOff(one: Failed<I>): Promise<void> {
    const { item, error } = one
    log.error({ err: error, kind: kind.name, id: item.id }, 'an outcome could not be stored')
    const now = clock.now()
    try {
      await briefTransaction(db, async (tx) => {
        const ours = await stillOurs(tx, [one], { now, waitMs: waitForRowMs.first })
        if (ours.length > 0) await kind.putOff(tx, item, error, now)
      })
      end(item)
    } catch (refusal) {
      if (isDatabaseAway(refusal)) throw refusal
      log.error({ err: refusal, kind: kind.name, id: item.id }, 'it could not be put off either')
      if (isUnderWay(item)) inHand.set(item, uptime() + pace.keepInHandMs)
    }
  }

  return {
    ended: (done) => void ended.push(done),
    failed: (one) => void failed.push(one),
    record,
    nextAt: () =>
      ended.length + failed.length > 0
        ? uptime()
        : Math.min(Number.POSITIVE_INFINITY, ...inHand.values(), ...heldUp.values()),
  }
}
