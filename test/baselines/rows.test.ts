import { eq, sql } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { durationAt, noBaseline } from '../../src/baselines/baseline.ts'
import { type Ended, learnFrom } from '../../src/baselines/keep.ts'
import { everyImport } from '../../src/baselines/kind.ts'
import { createBaselines } from '../../src/baselines/read.ts'
import { baselines } from '../../src/db/schema/index.ts'
import { useWorld } from '../support/worlds/world.ts'

const world = useWorld()
const second = 1_000
const guess = { medianMs: 120_000, sigma: 1.5 }

/** Imports of a connection that took so many seconds. */
function learn(connectionId: string, seconds: readonly number[], kind = everyImport) {
  const ended = seconds.map((s): Ended => {
    const startedAt = world.clock.now().getTime()
    world.clock.advance(s * second)
    const known = { baseline: noBaseline, connectionBaseline: noBaseline, progressChanges: [], uncertainMs: 0 }
    return { connectionId, kind, startedAt, endedAt: startedAt + s * second, ...known }
  })
  return world.db.transaction((tx) => learnFrom(tx, ended, world.clock.now()))
}

async function revisionOf(connectionId: string): Promise<number | null> {
  const rows = await rowsOf(connectionId)
  return rows.find(({ kind }) => kind === everyImport)?.revision ?? null
}

function rowsOf(connectionId: string) {
  return world.db.select().from(baselines).where(eq(baselines.connectionId, connectionId)).orderBy(baselines.kind)
}

/** The median, in seconds, of what is known of the connection's imports, or of a kind of them. */
async function usual(known: ReturnType<typeof createBaselines>, connectionId: string, kind = everyImport) {
  const provider = { name: 'cdq', durationPrior: guess }
  const asked = [{ id: connectionId, provider, revision: await revisionOf(connectionId) }]
  const found = (await known.read(world.db, asked, world.clock.now())).get(connectionId)
  return Math.round((durationAt(found?.of(kind) ?? noBaseline, 0.5) ?? 0) / second)
}

test('a row is kept for each connection, whatever becomes of its imports', async () => {
  const { id } = await world.connection()
  await learn(id, [60, 62, 58])
  await learn(id, [61])
  const [row, ...others] = await rowsOf(id)
  expect(others).toEqual([])
  expect(row).toMatchObject({ kind: everyImport, revision: 4, medianMs: 60_498, history: { ended: 4 } })
  expect(row?.spread).toBeGreaterThan(0)
  expect(row?.spread).toBeLessThan(0.1)
})

test('the row stays small, however many imports end', async () => {
  const { id } = await world.connection()
  await learn(
    id,
    Array.from({ length: 300 }, (_, index) => 50 + (index % 20)),
  )
  const [row] = await rowsOf(id)
  expect(row).toMatchObject({ revision: 300, history: { ended: 300 } })
  expect(row?.history.recent).toHaveLength(128)
  const { rows } = await world.db.execute<{ bytes: number }>(
    sql`SELECT octet_length(history::text) AS bytes FROM baselines WHERE connection_id = ${id}`,
  )
  expect(rows[0]?.bytes).toBeLessThan(6_000)
})

test('what was learnt is known at once, and what is learnt later a second after', async () => {
  const { id } = await world.connection()
  const known = createBaselines()
  await learn(id, [300, 310, 290, 305])
  expect(await usual(known, id)).toBeGreaterThan(200)
  await learn(id, Array(40).fill(0.01)) // the clock hardly moves
  expect(await usual(known, id)).toBeGreaterThan(200)
  world.clock.advance(second)
  expect(await usual(known, id)).toBeLessThan(50)
})

test('a connection without any goes by the vendor’s other ones, and without those by what ships with the vendor', async () => {
  await world.db.delete(baselines)
  const [fresh, other] = [await world.connection(), await world.connection()]
  expect(await usual(createBaselines(), fresh.id)).toBeCloseTo(120, -1)
  await learn(other.id, [900, 920, 880, 910, 905])
  expect(await usual(createBaselines(), fresh.id)).toBeGreaterThan(800)
  const own = await world.connection()
  await learn(own.id, [60, 61, 60, 59, 60, 61])
  expect(await usual(createBaselines(), own.id)).toBeLessThan(100)
})

test('a kind is known apart once two of it have ended, and else as the connection', async () => {
  const { id } = await world.connection()
  await learn(id, Array(10).fill(1_000))
  await learn(id, [10, 10, 10], 'short')
  await learn(id, [20], 'new')
  const known = createBaselines()
  expect(await usual(known, id, 'short')).toBeLessThan(20)
  expect(await usual(known, id, 'new')).toBe(await usual(known, id))
  expect(await usual(known, id, 'unheard-of')).toBe(await usual(known, id))
  expect((await rowsOf(id)).map(({ kind, revision }) => [kind, revision])).toEqual([
    [everyImport, 14],
    ['new', 14],
    ['short', 13],
  ])
})

test('of many kinds those are kept that ended last', async () => {
  const { id } = await world.connection()
  for (let index = 0; index < 105; index++) await learn(id, [5], `kind ${index}`)
  const kinds = (await rowsOf(id)).map(({ kind }) => kind)
  expect(kinds).toHaveLength(101)
  expect(kinds).toContain('kind 104')
  expect(kinds).not.toContain('kind 4')
})

test('a duration that can’t be teaches nothing', async () => {
  const { id } = await world.connection()
  const startedAt = world.clock.now().getTime()
  const known = { baseline: noBaseline, connectionBaseline: noBaseline, progressChanges: [], uncertainMs: 0 }
  const odd: Ended[] = [0, -5_000, Number.NaN].map((ms) => {
    return { connectionId: id, kind: 'odd', startedAt, endedAt: startedAt + ms, ...known }
  })
  await world.db.transaction((tx) => learnFrom(tx, odd, world.clock.now()))
  expect(await rowsOf(id)).toEqual([])
})

test('rows that were deleted are unlearnt', async () => {
  const { id } = await world.connection()
  const known = createBaselines()
  await learn(id, [900, 910, 890])
  expect(await usual(known, id)).toBeGreaterThan(500)
  await world.db.delete(baselines)
  world.clock.advance(120 * second)
  expect(await usual(known, id)).toBeLessThan(200)
})
