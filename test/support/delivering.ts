// Owns delivering in tests as whoever serves endpoints does it, but step by step: begin what may begin, act, record.
import type { Database } from '../../src/db/client.ts'
import type { Attempt } from '../../src/delivering/begin.ts'
import type { Verdict } from '../../src/delivering/judge.ts'
import { recordAttempts } from '../../src/delivering/record.ts'
import type { SendResult } from '../../src/delivering/send.ts'
import { type DeliverDeps, type Delivered, deliverWork } from '../../src/delivering/work.ts'
import { endLeases, takeLeases } from '../../src/work/leases.ts'

export interface DeliverDueDeps extends DeliverDeps {
  db: Database
}

export type Made =
  | {
      kind: 'attempted'
      attempt: Attempt
      result: SendResult
      endedAt: Date
      verdict: Verdict
      endpointChange: string | null
    }
  | { kind: 'interrupted' }

export interface Serving {
  /** Leases the endpoints with something due, and begins what may begin, pass by pass, until nothing more may. */
  begin(): Promise<Attempt[]>
  /** One pass. */
  beginOnce(room?: number): Promise<Attempt[]>
  act(item: Attempt, signal?: AbortSignal): Promise<Delivered | 'aborted'>
  /** Records these in one round, in the order given. */
  record(done: readonly Delivered[]): Promise<Made[]>
  /** They aren't under way any more, whatever came of them. */
  forget(ids: readonly string[]): void
  /** Gives the leases back. Whoever doesn't is a process that was killed. */
  leave(): Promise<void>
}

/** A process that serves whichever endpoints have something due. */
export function serving(deps: DeliverDueDeps): Serving {
  const { db, clock } = deps
  const uptime = () => clock.now().getTime()
  const kind = deliverWork({ uptime, ...deps })
  const owners = new Map<string, Map<string, Attempt>>()
  const leases: string[] = []

  async function beginOnce(room = kind.most): Promise<Attempt[]> {
    const now = clock.now()
    const due = [...(await kind.due(db, now, 10_000)), ...((await kind.dueInTrouble?.(db, now, 10_000)) ?? [])]
    for (const { id, ownerId } of await takeLeases(db, 'deliver', due, now)) {
      leases.push(id)
      owners.set(ownerId, new Map())
    }
    const served = [...owners].map(([id, underWay]) => ({ id, underWay, isQuick: true }))
    if (served.length === 0) return []
    const { items } = await db.transaction((tx) => kind.begin(tx, served, room, now))
    for (const item of items) owners.get(item.ownerId)?.set(item.id, item)
    return items
  }

  return {
    beginOnce,
    async begin() {
      const all: Attempt[] = []
      for (let more = true; more; ) {
        const items = await beginOnce()
        all.push(...items)
        more = items.length > 0
      }
      return all
    },
    act: (item, signal = new AbortController().signal) => kind.act(item, { leaseId: '', isHeld: () => true, signal }),
    async record(done) {
      const { noted } = await db.transaction((tx) => recordAttempts(tx, done, { random: Math.random, ...deps }))
      for (const { item } of done) owners.get(item.ownerId)?.delete(item.id)
      return done.map(({ item, result, endedAt }): Made => {
        const one = noted.find(({ delivered }) => delivered.item === item)
        if (!one) throw new Error('An attempt was not noted.')
        const { verdict, endpointChange } = one
        return { kind: 'attempted', attempt: item, result, endedAt, verdict, endpointChange }
      })
    },
    forget(ids) {
      for (const underWay of owners.values()) for (const id of ids) underWay.delete(id)
    },
    leave: () => endLeases(db, leases),
  }
}

/** Makes an attempt at all that may begin now, and records them together. */
export async function deliverAllDue(
  deps: DeliverDueDeps,
  signal: AbortSignal = new AbortController().signal,
): Promise<Made[]> {
  const process = serving(deps)
  const made = await Promise.all((await process.begin()).map((item) => process.act(item, signal)))
  const ended = made.filter((one) => one !== 'aborted')
  const recorded = await process.record(ended)
  await process.leave()
  return made.map((one) => (one === 'aborted' ? { kind: 'interrupted' } : (recorded[ended.indexOf(one)] as Made)))
}
