// Owns serving the owners whose leases this process holds: begin due items, act on them side by side, record results.
//
// One loop serves all owners of a kind. Each pass records, in one transaction, whatever has ended since the last pass,
// of any owner. Then it begins due items of owners with room. Under load rounds grow by themselves, because outcomes
// gather during a pass. An item that hangs holds up no other.
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { createLogThrottle } from '../base/log-throttle.ts'
import { briefTransaction } from '../db/brief-transaction.ts'
import type { Database, Transaction } from '../db/client.ts'
import { mayPass } from '../db/unreachable.ts'
import { type Arriving, type Held, holdOwner } from './held.ts'
import type { Begun, Item, Kind, WorkName } from './kind.ts'
import { leaseMs, readLeases, renewLeases } from './leases.ts'
import { createLoop } from './loop.ts'
import { createQuickOwners } from './quick-owners.ts'
import { createRounds } from './rounds.ts'

export interface ServeDeps {
  db: Database
  clock: Clock
  log: Log
  /** Called with the kinds of work that became due by recording. */
  wake(due: Iterable<WorkName>): void
  /** The process's uptime in milliseconds, by a clock that nobody sets. */
  uptime?: () => number
  pace?: Partial<ServePace>
}

/** All in milliseconds. */
export interface ServePace {
  /** If more of an owner may begin within this time, the owner keeps its lease. */
  lingerMs: number
  /** How often an owner with items under way is checked for more, unless something ends before. */
  lookEveryMs: number
  /** How long an owner keeps its lease before it goes back, so that other processes may get it. */
  turnMs: number
  /** How long an ended turn waits for its items under way before it becomes another turn. */
  yieldWithinMs: number
  /** The wait before a failed pass is tried again. */
  retryMs: number
  /** The wait before an outcome whose row another transaction had locked is tried again. */
  heldUpMs: number
  /** How long an item is kept in hand if its outcome can neither be stored nor put off. */
  keepInHandMs: number
}

const usualPace: ServePace = {
  lingerMs: 1_000,
  lookEveryMs: 500,
  turnMs: 10_000,
  yieldWithinMs: 300,
  retryMs: 250,
  heldUpMs: 1_000,
  keepInHandMs: 60_000,
}
/** How often a lingering owner is checked, in milliseconds. */
const lookAtLingeringMs = 8
/** A lease with less time left is renewed. */
const renewBelowMs = (2 / 3) * leaseMs
/** This process counts a lease as over a little earlier than others do. */
const cautionMs = 1_000

export interface Server {
  /**
   * Serves the owner of this lease until nothing of it is due, or the lease is over. The signal aborts items under way.
   */
  serve(leaseId: string, signal: AbortSignal): Promise<void>
  /** Checks the owners served here, because something of them may be due. */
  look(): void
  /** Begins nothing new. Every `serve` resolves when its items under way have ended. */
  stop(): void
}

export function createServer<I extends Item, Done extends { item: I }>(
  kind: Kind<I, Done>,
  { db, clock, log, wake, uptime = () => performance.now(), pace: givenPace }: ServeDeps,
): Server {
  const pace = { ...usualPace, ...givenPace }
  const complain = createLogThrottle({ log, clock })
  const owners = new Map<string, Held<I>>()
  const quickOwners = createQuickOwners() // also by earlier leases
  let arriving: Arriving[] = []
  let stopped = false
  const rounds = createRounds(kind, {
    db,
    clock,
    log,
    wake,
    uptime,
    pace,
    owners: { get: (ownerId) => owners.get(ownerId), all: () => owners.values(), lose, end, isEnding },
  })
  const passSoon = createLoop({
    pass,
    nextAt: nextPassAt,
    failed: (error) =>
      complain(`work of the kind ${kind.name} could not be recorded or begun; it is tried again`, error),
    restMs: kind.restMs,
    retryMs: pace.retryMs,
    uptime,
  })

  function nextPassAt(): number {
    const at = uptime()
    if (arriving.length > 0) return at
    const isFull = underWay() >= kind.most
    let next = rounds.nextAt()
    for (const held of owners.values()) {
      next = Math.min(next, renewAt(held))
      if (isEnding(held)) next = held.underWay.size === 0 ? at : next
      else if (!isLeaving(held, at)) next = Math.min(next, isFull ? next : held.lookAt)
      else next = Math.min(next, held.underWay.size === 0 ? at : held.turnUntil + pace.yieldWithinMs)
    }
    return next
  }

  function underWay(): number {
    let sum = 0
    for (const held of owners.values()) sum += held.underWay.size
    return sum
  }

  function renewAt(held: Held<I>): number {
    return held.heldUntil - renewBelowMs
  }

  /** Returns true if nothing of this owner begins ever again. */
  function isEnding(held: Held<I>): boolean {
    return stopped || held.signal.aborted
  }

  /** Returns true if nothing more of this owner begins, so that its lease can end. */
  function isLeaving(held: Held<I>, at: number): boolean {
    if (isEnding(held)) return true
    if (at >= held.turnUntil + pace.yieldWithinMs) held.turnUntil = at + pace.turnMs
    return at >= held.turnUntil
  }

  async function pass(): Promise<void> {
    forgetLost()
    await rounds.record()
    await admit()
    await beginDue()
  }

  /** Admits owners whose jobs were taken since the last pass. If their leases can't be read, the jobs fail. */
  async function admit(): Promise<void> {
    const [given, at] = [arriving, uptime()]
    arriving = []
    if (given.length === 0) return
    const read = readLeases(
      db,
      given.map(({ leaseId }) => leaseId),
      clock.now(),
    )
    const leases = await read.catch((error: unknown) => {
      for (const { left } of given) left.reject(error)
      throw error
    })
    const byId = new Map(leases.map((lease) => [lease.id, lease]))
    for (const one of given) {
      const lease = byId.get(one.leaseId)
      if (!lease) {
        one.left.resolve()
        continue
      }
      const older = owners.get(lease.ownerId)
      if (older) lose(older)
      const heldUntil = at + renewBelowMs // the lease may have waited for long, so it is renewed now
      owners.set(lease.ownerId, holdOwner(lease, one, { at, heldUntil, turnUntil: at + pace.turnMs }))
    }
  }

  /** Cuts off the work of owners whose leases have ended. Nobody records it. */
  function forgetLost(): void {
    for (const held of owners.values()) if (uptime() >= held.heldUntil) lose(held)
  }

  function lose(held: Held<I>): void {
    log.warn({ kind: kind.name, ownerId: held.lease.ownerId, underWay: held.underWay.size }, 'a lease was lost')
    forget(held)
    held.cutOff.abort()
  }

  function forget(held: Held<I>): void {
    if (owners.get(held.lease.ownerId) === held) owners.delete(held.lease.ownerId)
    held.leave()
  }

  /** Takes the item off those under way, which makes room for another one. */
  function end(item: I): void {
    const held = owners.get(item.ownerId)
    if (held?.underWay.get(item.id) !== item) return
    const at = uptime()
    held.underWay.delete(item.id)
    held.stirredAt = at
    held.closedUntil = at
    held.lookAt = Math.min(held.lookAt, at)
  }

  async function beginDue(): Promise<void> {
    const at = uptime()
    const isFull = underWay() >= kind.most
    const mayLook: Held<I>[] = []
    const leaving: Held<I>[] = []
    for (const held of owners.values()) {
      const leaves = isLeaving(held, at)
      if (leaves && held.underWay.size === 0) leaving.push(held)
      else if (!leaves && !isFull && at >= held.lookAt) mayLook.push(held)
    }
    const looking = firstOf(mayLook, at)
    const chosen = new Set([...looking, ...leaving])
    const renewing = [...owners.values()].filter((held) => !chosen.has(held) && at >= renewAt(held))
    if (looking.length + leaving.length + renewing.length === 0) return
    try {
      await begin(looking, leaving, renewing)
    } catch (error) {
      if (mayPass(error) || looking.length === 0) throw error
      if (looking.length === 1) giveUp(looking[0] as Held<I>, error)
      else for (const held of looking) await begin([held], [], []).catch((one) => giveUp(held, one))
    }
  }

  function isQuick({ lease, underWay }: Held<I>, at: number): boolean {
    return quickOwners.isQuick(lease.ownerId, { isBusy: underWay.size > 0, at })
  }

  /** Puts quick owners first: there may be a thousand owners that hang, or whose speed nobody knows yet. */
  function firstOf(mayLook: readonly Held<I>[], at: number): Held<I>[] {
    const { mostLooked } = kind
    if (!mostLooked || mayLook.length <= mostLooked.others) return [...mayLook]
    const { quick = [], others = [] } = Object.groupBy(mayLook, (held) => (isQuick(held, at) ? 'quick' : 'others'))
    others.sort((a, b) => a.lookAt - b.lookAt)
    return [...quick.slice(0, mostLooked.quick), ...others.slice(0, mostLooked.others)]
  }

  /**
   * Keeps the lease of an owner of which nothing can begin until it ends, so that nobody tries again and again. Items
   * under way are recorded first.
   */
  function giveUp(held: Held<I>, error: unknown): void {
    if (mayPass(error)) throw error
    log.error({ err: error, kind: kind.name, ownerId: held.lease.ownerId }, 'nothing could be begun')
    if (held.underWay.size === 0) forget(held)
    else held.turnUntil = Math.min(held.turnUntil, uptime())
  }

  async function begin(wanted: Held<I>[], leaving: Held<I>[], renewing: Held<I>[]): Promise<void> {
    const at = uptime() // first: should the process stand still in between, the lease ends early here
    const now = clock.now()
    const room = kind.most - underWay()
    for (const held of wanted) held.isOutdated = false
    const begun = await briefTransaction(db, async (tx) => {
      const looking = kind.isAlone ? await stillLeased(tx, wanted, now) : wanted
      const served = looking.map((held) => ({
        id: held.lease.ownerId,
        underWay: held.underWay,
        isQuick: isQuick(held, at),
      }))
      const given = served.length > 0 ? await kind.begin(tx, served, room, now) : nothing<I>()
      const { items, next } = given
      const counted = Map.groupBy(items, ({ ownerId }) => ownerId)
      const isIdle = ({ lease, underWay }: Held<I>) => underWay.size === 0 && !counted.has(lease.ownerId)
      const idle = looking.filter(isIdle)
      const done = idle.filter((held) => !isSoon(next.get(held.lease.ownerId), now) && !lingers(held, at))
      const gone = new Set([...leaving, ...done])
      const goOn = [...looking, ...renewing].filter((held) => !gone.has(held) && (!kind.isAlone || at >= renewAt(held)))
      const sized = goOn.map(({ lease, underWay }) => ({
        id: lease.id,
        size: kind.isAlone ? 0 : underWay.size + (counted.get(lease.ownerId)?.length ?? 0),
      }))
      const end = [...gone].map(({ lease }) => lease.id)
      const renewed = sized.length + end.length > 0 ? await renewLeases(tx, { goOn: sized, end }, now) : new Set()
      return { ...given, looking, idle: new Set(idle), gone, goOn, renewed }
    })
    for (const held of begun.gone) forget(held)
    // More may be due, for whichever process is next.
    if (!stopped && [...begun.gone].some((held) => held.isOutdated || leaving.includes(held))) wake([kind.name])
    for (const held of begun.goOn) {
      if (!begun.renewed.has(held.lease.id)) lose(held)
      else held.heldUntil = at + leaseMs - cautionMs
    }
    const inMs = (time: Date | undefined, otherwise: number) =>
      time ? Math.max(0, time.getTime() - now.getTime()) : otherwise
    for (const held of begun.looking) {
      const { ownerId } = held.lease
      const usualMs = begun.idle.has(held) && kind.lingerMs ? lookAtLingeringMs : pace.lookEveryMs
      held.closedUntil = at + inMs(begun.closed?.get(ownerId), 0)
      const lookAt = held.isOutdated ? at : at + Math.min(usualMs, inMs(begun.next.get(ownerId), usualMs))
      held.lookAt = Math.max(lookAt, held.closedUntil)
    }
    for (const item of begun.items) start(item)
    takeTurns(begun.items)
  }

  /** Forgets owners whose leases have vanished: somebody deleted the leases, or the database was restored. */
  async function stillLeased(tx: Transaction, looking: Held<I>[], now: Date): Promise<Held<I>[]> {
    const leases = await readLeases(
      tx,
      looking.map(({ lease }) => lease.id),
      now,
    )
    const valid = new Set(leases.map(({ id }) => id))
    for (const held of looking) if (!valid.has(held.lease.id)) lose(held)
    return looking.filter(({ lease }) => valid.has(lease.id))
  }

  /** Puts owners that got something to the end, for when there isn't enough for all. */
  function takeTurns(items: readonly I[]): void {
    for (const ownerId of new Set(items.map((item) => item.ownerId))) {
      const held = owners.get(ownerId)
      if (held && owners.delete(ownerId)) owners.set(ownerId, held)
    }
  }

  /** Returns true if more is likely to become due for this owner. */
  function lingers(held: Held<I>, at: number): boolean {
    return kind.lingerMs !== undefined && at - held.stirredAt < kind.lingerMs && held.underWay.size === 0 && !stopped
  }

  function isSoon(next: Date | undefined, now: Date): boolean {
    return next !== undefined && next.getTime() - now.getTime() <= pace.lingerMs
  }

  function start(item: I): void {
    const held = owners.get(item.ownerId)
    if (!held) return // its lease was just lost
    const startedAt = uptime()
    held.underWay.set(item.id, item)
    held.stirredAt = startedAt
    const hold = {
      leaseId: held.lease.id,
      signal: held.cutOff.signal,
      isHeld: () => owners.get(item.ownerId) === held && uptime() < held.heldUntil,
    }
    kind.act(item, hold).then(
      (done) => {
        if (owners.get(item.ownerId) !== held) return
        quickOwners.noteEnd(item.ownerId, { startedAt, endedAt: uptime() })
        if (done === 'aborted') end(item)
        else rounds.ended(done)
        passSoon()
      },
      (error: Error) => {
        if (owners.get(item.ownerId) !== held) return
        rounds.failed({ item, error })
        passSoon()
      },
    )
  }

  return {
    async serve(leaseId, signal) {
      const left = Promise.withResolvers<void>()
      arriving.push({ leaseId, signal, left })
      passSoon()
      await left.promise
    },
    look() {
      if (owners.size === 0) return
      const at = uptime()
      for (const held of owners.values()) {
        held.lookAt = Math.min(held.lookAt, Math.max(at, held.closedUntil))
        if (at >= held.closedUntil) held.isOutdated = true
      }
      passSoon()
    },
    stop() {
      stopped = true
      passSoon()
    },
  }
}

function nothing<I extends Item>(): Begun<I> {
  return { items: [], next: new Map() }
}
