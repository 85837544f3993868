// Owns that whoever asks sees each poll of an import at once: in its history, and in the views.
import { sql } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { listSnapshots } from '../../src/imports/history.ts'
import { getImport } from '../../src/imports/read.ts'
import { resumeImport } from '../../src/imports/resume.ts'
import { stopImport } from '../../src/imports/stop.ts'
import type { Report } from '../../src/providers/contract.ts'
import { useWorld } from '../support/worlds/world.ts'
import { recordLost, recordReport, recordUnchanged } from './recording.ts'

const world = useWorld()

/** Polls that saw each report, and when the last of them did, as the API, the views and the import's count say it. */
async function expectHistory(
  id: string,
  polls: readonly number[],
  { failed = 0, lastSeenAt = world.clock.now() } = {},
) {
  const { data } = await listSnapshots(world, id, { limit: 100 })
  expect(data.map((snapshot) => snapshot.polls)).toEqual(polls)
  expect(data.at(-1)?.lastSeenAt).toBe(lastSeenAt.toISOString())
  const { rows: progress } = await world.db.execute<{ polls: number; last: string }>(sql`
    SELECT polls::int, last_seen_at AS last FROM reporting.progress WHERE import_id = ${id} ORDER BY first_seen_at`)
  expect(progress.map((row) => row.polls)).toEqual(polls)
  expect(new Date(progress.at(-1)?.last ?? '')).toEqual(lastSeenAt)
  const seen = polls.reduce((sum, one) => sum + one, 0)
  const { rows: periods } = await world.db.execute(sql`
    SELECT sum(polls)::int AS polls FROM reporting.status_periods WHERE import_id = ${id}`)
  expect(periods).toEqual([{ polls: seen }])
  const { rows: shown } = await world.db.execute(sql`SELECT polls FROM reporting.imports WHERE import_id = ${id}`)
  expect(shown).toEqual([{ polls: seen + failed }])
  expect(await getImport(world, id)).toMatchObject({ polls: seen + failed })
}

async function tracked() {
  const { id } = await world.import()
  return {
    id,
    changed: async (report: Partial<Report>) =>
      expect(await recordReport(world.db, await world.changed(await world.importRow(id), report))).toBe('stored'),
    async same(times: number) {
      for (let poll = 0; poll < times; poll++)
        expect((await recordUnchanged(world.db, [world.unchanged(await world.importRow(id))])).ids.size).toBe(1)
    },
    failed: async () =>
      recordUnchanged(world.db, [world.unchanged(await world.importRow(id), { sameReport: false, failures: 1 })]),
  }
}

test('while it is live, and after it has ended', async () => {
  const one = await tracked()
  await one.changed({ progress: 0.1 })
  await expectHistory(one.id, [1])
  await one.same(3)
  await expectHistory(one.id, [4])
  await one.changed({ progress: 0.2 })
  await expectHistory(one.id, [4, 1])
  await one.same(2)
  await expectHistory(one.id, [4, 3])
  const lastSeenAt = world.clock.now()
  await one.failed()
  await expectHistory(one.id, [4, 3], { failed: 1, lastSeenAt })
  await one.changed({ state: 'succeeded' })
  await expectHistory(one.id, [4, 3, 1], { failed: 1 })
})

test('after it is lost, and after it is stopped and resumed', async () => {
  const one = await tracked()
  await one.changed({ progress: 0.1 })
  await one.same(2)
  const lastSeenAt = world.clock.now()
  await stopImport(world, one.id)
  await expectHistory(one.id, [3], { lastSeenAt })
  world.clock.advance(60_000)
  await resumeImport(world, one.id)
  await expectHistory(one.id, [3], { lastSeenAt })
  await one.changed({ progress: 0.1 }) // what is told first after that is a change
  await one.same(4)
  await expectHistory(one.id, [3, 5])
  const lastHeardAt = world.clock.now()
  await recordLost(world.db, await world.lost(await world.importRow(one.id)))
  await expectHistory(one.id, [3, 5], { failed: 1, lastSeenAt: lastHeardAt })
})

test('of a resumed one that a poll of the same report extends', async () => {
  const one = await tracked()
  await one.changed({ progress: 0.1 })
  await one.same(1)
  await stopImport(world, one.id)
  await resumeImport(world, one.id)
  await one.same(2)
  await expectHistory(one.id, [4])
  await stopImport(world, one.id)
  await expectHistory(one.id, [4])
})

test('of one that is lost by a deadline which nobody asked about', async () => {
  const one = await tracked()
  await one.changed({ progress: 0.1 })
  await one.same(1)
  const lastSeenAt = world.clock.now()
  await recordLost(world.db, await world.lost(await world.importRow(one.id), { polls: 0 }))
  await expectHistory(one.id, [2], { lastSeenAt })
})
