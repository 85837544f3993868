// Owns a worker's polls at a test's own time: begun, assessed and recorded as the service does it, and answered at once by
// the test instead of a vendor.
import { createEncryption } from '../../src/base/encryption.ts'
import { createLog } from '../../src/base/log.ts'
import { createConnectionAccesses } from '../../src/connections/access.ts'
import type { Heard } from '../../src/polling/assess.ts'
import type { Poll } from '../../src/polling/begin.ts'
import { polledOf, pollWork } from '../../src/polling/work.ts'
import type { Report } from '../../src/providers/contract.ts'
import { ProviderError } from '../../src/providers/error.ts'
import { testEncryptionKey } from '../support/worlds/ground.ts'
import { aReport } from '../support/worlds/polls.ts'
import type { World } from '../support/worlds/world.ts'

/** A call of a pass, in epoch milliseconds. */
export interface Call {
  importId: string
  connectionId: string
  at: number
}

export interface Passes {
  /** Every call so far. */
  calls: Call[]
  /** Begins what may begin now, and records it. Returns how many calls it made. */
  pass(): Promise<number>
  /** A pass in each of these steps. */
  run(steps: { forMs: number; stepMs: number }): Promise<void>
}

/** @param answer what the vendor says to a poll, now. */
export function passesOf(
  world: World,
  connectionIds: () => readonly string[],
  answer: (poll: Poll) => Heard = () => says({}),
): Passes {
  const log = createLog('silent')
  const accesses = {
    ...createConnectionAccesses({ db: world.db, encryption: createEncryption([testEncryptionKey]), log }),
  }
  const client = null as never // nothing is asked over the network
  const kind = pollWork({ clock: world.clock, log, client, accesses, observe: () => {} })
  const calls: Call[] = []
  const pass = async () => {
    const now = world.clock.now()
    const owners = connectionIds().map((id) => ({ id, underWay: new Map(), isQuick: true }))
    const { items } = await world.db.transaction((tx) => kind.begin(tx, owners, 1_000, now))
    const round = items.map((item) => polledOf(item, answer(item), { startedAt: now, polledAt: now }))
    for (const { id, ownerId } of items) calls.push({ importId: id, connectionId: ownerId, at: now.getTime() })
    if (round.length > 0) await world.db.transaction((tx) => kind.record(tx, round, now))
    return items.length
  }
  return {
    calls,
    pass,
    async run({ forMs, stepMs }) {
      for (let passed = 0; passed < forMs; passed += stepMs) {
        await pass()
        world.clock.advance(stepMs)
      }
    },
  }
}

/** An answer with this report, running unless it says otherwise. */
export function says(report: Partial<Report>): Heard {
  const answer = { report: aReport(report), missing: null, details: null }
  return { kind: 'answer', answer: { ...answer, requests: 1, retryAfterMs: null, summaryError: null, date: null } }
}

/** A call that gets no answer, or one that says to wait. */
export function fails(kind: ProviderError['kind'], more: { status?: number; retryAfterMs?: number } = {}): Heard {
  return { kind: 'error', error: new ProviderError(kind, 'It failed.', more) }
}

/** The most calls of any second, counted from each call on. */
export function mostInASecond(calls: readonly Call[]): number {
  const times = calls.map(({ at }) => at).toSorted((a, b) => a - b)
  let most = 0
  let first = 0
  times.forEach((at, index) => {
    while ((times[first] ?? at) <= at - 1_000) first++
    most = Math.max(most, index - first + 1)
  })
  return most
}

/** How many calls each import got. */
export function callsOfEach(calls: readonly Call[], importIds: readonly string[]): number[] {
  const counts = new Map(importIds.map((id) => [id, 0]))
  for (const { importId } of calls) counts.set(importId, (counts.get(importId) ?? 0) + 1)
  return importIds.map((id) => counts.get(id) ?? 0)
}
