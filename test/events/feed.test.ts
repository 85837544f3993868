// The feed under concurrent writers, with real transactions: nothing is skipped, whatever commits when.
import { sql } from 'drizzle-orm'
import fc from 'fast-check'
import { v7 } from 'uuid'
import { beforeEach, describe, expect, it } from 'vitest'
import { newId } from '../../src/base/ids.ts'
import type { Transaction } from '../../src/db/client.ts'
import { events } from '../../src/db/schema/index.ts'
import { listEvents } from '../../src/events/feed.ts'
import { deleteImport } from '../../src/imports/delete.ts'
import { useDelivering } from '../support/worlds/delivering.ts'

const world = useDelivering()
const minute = 60_000

beforeEach(async () => {
  world.clock.set(new Date())
  await world.db.execute(sql`DELETE FROM events`) // some have ids of the future
})

describe('an event that is committed late', () => {
  it('comes after what was shown before, and holds nothing up', async () => {
    const reader = await readerFromHere()
    const slow = await begin()
    const late = await slow.write()
    const early = await committed()
    expect(await reader.read()).toEqual([early])
    await slow.end('commit')
    expect(await reader.read()).toEqual([late])
    expect(await reader.read()).toEqual([])
  })

  it('is not skipped though the event that a reader has come to is deleted with its import', async () => {
    const reader = await readerFromHere()
    const slow = await begin()
    const late = await slow.write()
    const { id: importId, connectionId } = await world.import()
    const seen = await world.event({ importId, connectionId })
    expect(await reader.read()).toEqual([seen])
    await deleteImport(world.deps, importId)
    await slow.end('commit')
    expect(await reader.read()).toEqual([late])
  })

  it('is not skipped though the clock of its process is minutes behind, or ahead', async () => {
    for (const skewMs of [-10 * minute, 10 * minute]) {
      const reader = await readerFromHere()
      const slow = await begin()
      const late = await slow.write(skewMs)
      const early = await committed()
      expect(await reader.read()).toEqual([early])
      await slow.end('commit')
      expect(await reader.read()).toEqual([late])
    }
  })

  it('never comes when its process dies or it is rolled back', async () => {
    const reader = await readerFromHere()
    const [dying, failing] = [await begin(), await begin()]
    await dying.write()
    await failing.write()
    const first = await committed()
    await dying.end('die')
    await failing.end('rollback')
    const second = await committed()
    expect(await reader.read()).toEqual([first, second])
  })
})

describe('the order', () => {
  it('is that of the ids where nothing overlaps', async () => {
    const reader = await readerFromHere()
    const ids = [await committed(), await committed(), await committed()]
    expect(await reader.read(2)).toEqual(ids.slice(0, 2))
    expect(await reader.read(2)).toEqual(ids.slice(2))
  })

  it('is the same for whoever reads later', async () => {
    const [now, later] = [await readerFromHere(), await readerFromHere()]
    const slow = await begin()
    await slow.write(-minute)
    await committed()
    await now.read()
    await slow.end('commit')
    await committed()
    await now.read()
    await later.read()
    expect(later.seen).toEqual(now.seen)
    expect(now.seen).toHaveLength(3)
  })

  it('is given by one reader at a time', async () => {
    const [one, other] = [await readerFromHere(), await readerFromHere()]
    const holder = await begin()
    const first = await committed(minute)
    await holder.lock(first) // so that whoever places it has to wait
    const reading = one.read()
    await untilWaiting(1)
    const second = await committed(-minute)
    const readingToo = other.read()
    await untilWaiting(2)
    await holder.end('commit')
    await Promise.all([reading, readingToo])
    await one.read()
    await other.read()
    expect(one.seen).toEqual([first, second])
    expect(other.seen).toEqual([first, second])
  })

  it('is complete, without repetition and the same for all readers, in every interleaving', async () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ kind: fc.constant('write' as const), by: fc.nat(2), skewMs }) },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('end' as const), by: fc.nat(2), how }) },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('read' as const), by: fc.nat(1), limit }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('read all' as const), limit }) },
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
        const readers = [await readerFromHere(), await readerFromHere()]
        const open = new Map<number, { session: Session; ids: string[] }>()
        const expected: string[] = []
        const end = async (by: number, how: 'commit' | 'rollback') => {
          const ending = open.get(by)
          open.delete(by)
          await ending?.session.end(how)
          if (how === 'commit') expected.push(...(ending?.ids ?? []))
        }

        for (const step of steps) {
          if (step.kind === 'write') {
            const writer = open.get(step.by) ?? { session: await begin(), ids: [] }
            open.set(step.by, writer)
            writer.ids.push(await writer.session.write(step.skewMs))
          } else if (step.kind === 'end') await end(step.by, step.how)
          else if (step.kind === 'read') await readers[step.by]?.read(step.limit)
          else await Promise.all(readers.map((reader) => reader.read(step.limit)))
        }
        for (const by of [...open.keys()]) await end(by, 'commit')
        for (const reader of readers) while ((await reader.read(2)).length > 0);

        const [one, other] = readers.map(({ seen }) => seen)
        expect(one).toEqual(other)
        expect([...(one ?? [])].sort()).toEqual(expected.sort())
      }),
      { numRuns: 40 },
    )
  })

  it('is complete while many write and read at once', async () => {
    const readers = await Promise.all([readerFromHere(), readerFromHere(), readerFromHere()])
    let isWriting = true
    const writers = Array.from({ length: 5 }, async (_, writer) => {
      const ids: string[] = []
      for (let turn = 0; turn < 20; turn++) {
        const session = await begin()
        for (let count = 0; count <= (writer + turn) % 3; count++) ids.push(await session.write((writer - 2) * 1_000))
        await session.end('commit')
      }
      return ids
    })
    const reading = readers.map(async (reader) => {
      while (isWriting || (await reader.read(7)).length > 0) await reader.read(7)
    })
    const written = (await Promise.all(writers)).flat()
    isWriting = false
    await Promise.all(reading)
    for (const { seen } of readers) expect(seen).toEqual(readers[0]?.seen)
    expect([...(readers[0]?.seen ?? [])].sort()).toEqual(written.sort())
  })
})

describe('a cursor', () => {
  it('that is no event of the feed stands before all later ids', async () => {
    await committed()
    const unknown = newId()
    const ids = [await committed(), await committed()]
    const page = await listEvents(world.deps, { limit: 10, after: unknown })
    expect(page.data.map(({ id }) => id)).toEqual(ids)
  })

  it('goes on where its event was removed meanwhile', async () => {
    const reader = await readerFromHere()
    const [first, second] = [await committed(), await committed()]
    expect(await reader.read(1)).toEqual([first])
    await world.db.execute(sql`DELETE FROM events WHERE id = ${first}`)
    expect(await reader.read()).toEqual([second])
  })

  it('is never at an end that is none, however much has come since', async () => {
    const reader = await readerFromHere()
    await world.db.execute(sql`
      INSERT INTO events (id, type, occurred_at, body)
      SELECT overlay(${newId()}::text placing lpad(to_hex(n), 12, '0') from 25)::uuid, 'import.lost', now(), ${body}
      FROM generate_series(1, 10500) n`)
    let pages = 0
    while ((await reader.read(1_000)).length === 1_000) pages++
    expect({ pages, seen: new Set(reader.seen).size }).toEqual({ pages: 10, seen: 10_500 })
  })
})

const skewMs = fc.integer({ min: -10 * minute, max: 10 * minute })
const how = fc.constantFrom('commit' as const, 'commit' as const, 'rollback' as const)
const limit = fc.integer({ min: 1, max: 4 })
const body = JSON.stringify({ type: 'import.lost', timestamp: '2026-11-22T12:00:00.000Z', data: { id: '1' } })

interface Session {
  /** Writes an event as a process would whose clock is wrong by this much. */
  write(skewMs?: number): Promise<string>
  /** Keeps an event from being changed. */
  lock(id: string): Promise<void>
  end(how: 'commit' | 'rollback' | 'die'): Promise<void>
}

/** A transaction on a connection of its own, open until it is ended. */
async function begin(): Promise<Session> {
  const begun = Promise.withResolvers<Transaction>()
  const told = Promise.withResolvers<'commit' | 'rollback'>()
  const ended = world.db
    .transaction(async (tx) => {
      begun.resolve(tx)
      if ((await told.promise) === 'rollback') tx.rollback()
    })
    .catch(() => {}) // rolled back, or its connection is gone
  const tx = await begun.promise
  return {
    async write(skewMs = 0) {
      const id = skewMs === 0 ? newId() : v7({ msecs: Date.now() + skewMs })
      await tx.insert(events).values({ id, type: 'import.lost', occurredAt: new Date(), body })
      return id
    },
    async lock(id) {
      await tx.execute(sql`SELECT 1 FROM events WHERE id = ${id} FOR UPDATE`)
    },
    async end(how) {
      if (how === 'die') {
        const [backend] = (await tx.execute(sql`SELECT pg_backend_pid() AS pid`)).rows
        await world.db.execute(sql`SELECT pg_terminate_backend(${backend?.pid}, 5000)`)
      }
      told.resolve(how === 'commit' ? 'commit' : 'rollback')
      await ended
    },
  }
}

/** An event in a transaction of its own. */
async function committed(skewMs?: number): Promise<string> {
  const session = await begin()
  const id = await session.write(skewMs)
  await session.end('commit')
  return id
}

/** Until so many connections of this database wait for a lock. */
async function untilWaiting(count: number): Promise<void> {
  const waiting = sql`SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
  while ((await world.db.execute(waiting)).rows.length < count);
}

/** A consumer that has read all there is so far. */
async function readerFromHere() {
  let after: string | undefined
  const read = async (limit = 100): Promise<string[]> => {
    const { data } = await listEvents(world.deps, { limit, after })
    const ids = data.map(({ id }) => id)
    after = ids.at(-1) ?? after
    return ids
  }
  after = await lastInFeed()
  const seen: string[] = []
  return {
    seen,
    async read(limit?: number) {
      const ids = await read(limit)
      seen.push(...ids)
      return ids
    },
  }
}

async function lastInFeed(): Promise<string | undefined> {
  await listEvents(world.deps, { limit: 1 })
  const last = await world.db.execute(
    sql`SELECT id FROM events WHERE position IS NOT NULL ORDER BY position DESC LIMIT 1`,
  )
  return last.rows[0]?.id as string | undefined
}

it('an event says what its data is without', async () => {
  const data = { id: newId(), metadata: { text: 'x'.repeat(70_000) } }
  await world.event({ data })
  const { data: shown } = await listEvents(world.deps, { limit: 10 })
  expect(shown.at(-1)).toMatchObject({ data: { id: data.id, metadata: {} }, omitted: ['metadata'] })
})
