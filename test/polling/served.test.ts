// Owns that the service asks when its policy says, and learns what the simulator learns: its own polling, a real Postgres
// and a vendor over a socket, with a time that goes from due to due.
import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { samplesOf, simulate } from '../../bench/policy/agree.ts'
import { limits } from '../../bench/policy/policies.ts'
import { type Played, serve } from '../../bench/policy/served.ts'
import { everyImport } from '../../src/baselines/kind.ts'
import { baselines, imports } from '../../src/db/schema/index.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database?.close())

test.each(samplesOf(30, 4_711))(
  '%s: each import has the calls and the delay that are foretold',
  async (_name, played) => {
    const served = await serve(database.db, played, { limits })
    const foretold = simulate(played, served)
    expect(served.map(({ calls }) => calls)).toEqual(foretold.map(({ calls }) => calls))
    // The service stores whole milliseconds, so that what it learns is rounded.
    const apartMs = served.map(({ delayMs }, index) => Math.abs(delayMs - (foretold[index]?.delayMs ?? Number.NaN)))
    expect(Math.max(...apartMs)).toBeLessThanOrEqual(50)
  },
)

const second = 1_000
const start = Date.UTC(2026, 2, 2)
/** Short and long ones by turns, hours apart. */
const mixed = (count: number): Played[] =>
  Array.from({ length: count }, (_, index) => ({
    startedAt: start + index * 10_800_000,
    durationMs: (index % 2 === 0 ? 60 : 3_000) * second + ((index * 7_919) % 3_000),
    metadata: { source: index % 2 === 0 ? 'delta' : 'full' },
  }))

test('kinds of imports that the metadata tells apart are learnt apart', async () => {
  const played = mixed(24)
  // How many calls the long ones take, once there is something to learn from.
  const callsOf = (outcomes: readonly { calls: number }[]) =>
    outcomes
      .filter((_, index) => index % 2 === 1)
      .slice(2)
      .reduce((sum, { calls }) => sum + calls, 0)
  const patient = { ...limits, maxIntervalMs: 1_800_000 }
  const together = await serve(database.db, played, { limits: patient })
  const apart = await serve(database.db, played, { limits: patient, baselineBy: ['source'] })
  expect(callsOf(apart)).toBeLessThan(0.9 * callsOf(together))
  const rows = await database.db.select().from(baselines)
  const medians = rows.map(({ kind, medianMs }) => [kind, Math.round(medianMs / 60_000)])
  expect(Object.fromEntries(medians)).toEqual({
    [everyImport]: expect.any(Number),
    '[["source","delta"]]': 1,
    '[["source","full"]]': 50,
  })
  expect(rows.map(({ history }) => history.ended).sort((a, b) => a - b)).toEqual([12, 12, 24])
})

test('how long an import ran is kept with it', async () => {
  const [one] = mixed(1) as [Played]
  const [served] = await serve(database.db, [{ ...one, startedAt: start + 86_400_000_000 }], { limits })
  const [row] = await database.db
    .select()
    .from(imports)
    .where(eq(imports.registeredAt, new Date(start + 86_400_000_000)))
  const gapMs = row?.detectionGapMs ?? 0
  expect(gapMs).toBeGreaterThan(served?.delayMs ?? 0)
  // CDQ doesn't say when it ended, so that it was halfway between the last two polls.
  expect(row?.ranMs).toBe(Math.round(one.durationMs + (served?.delayMs ?? 0) - gapMs / 2))
})
