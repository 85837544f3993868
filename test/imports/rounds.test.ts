// Owns that what polls told of many imports is stored in one round, each as if it had been alone.
import { expect, test } from 'vitest'
import { mayPass } from '../../src/db/unreachable.ts'
import { type ChangedReport, recordReports } from '../../src/imports/record.ts'
import { recordUnchanged, type UnchangedPoll } from '../../src/imports/record-unchanged.ts'
import { stopImport } from '../../src/imports/stop.ts'
import type { Tracked } from '../support/worlds/imports.ts'
import { useWorld } from '../support/worlds/world.ts'
import { recordReport } from './recording.ts'

const world = useWorld()

/** Imports that a first report has been recorded of. */
async function running(count: number): Promise<Tracked[]> {
  const rows = await Promise.all(Array.from({ length: count }, () => world.import()))
  for (const row of rows) await recordReport(world.db, await world.changed(row, { progress: 0.1 }))
  return Promise.all(rows.map(({ id }) => world.importRow(id)))
}

/** As a worker stores a round. */
function store(changed: readonly ChangedReport[], unchanged: readonly UnchangedPoll[]) {
  return world.db.transaction(async (tx) => {
    const reports = await recordReports(tx, changed)
    const polls = await recordUnchanged(tx, unchanged)
    return { reports, polls }
  })
}

const idsOf = (rows: readonly { id: string }[]) => new Set(rows.map(({ id }) => id))

async function allOf(rows: readonly Tracked[]) {
  return Promise.all(
    rows.map(async ({ id }) => ({
      row: await world.importRow(id),
      snapshots: await world.snapshotsOf(id),
      events: await world.eventTypesOf(id),
    })),
  )
}

test('two reports that changed and five that did not are stored together', async () => {
  const [changed, unchanged] = [await running(2), await running(5)]
  const [ended, moved] = changed as [Tracked, Tracked]
  const changes = [await world.changed(ended, { state: 'succeeded' }), await world.changed(moved, { progress: 0.5 })]
  const polls = unchanged.map((row) => world.unchanged(row))
  const { reports, polls: counted } = await store(changes, polls)
  expect(reports).toEqual({ ids: idsOf(changed), hasEvents: true, collects: false })
  expect(counted).toEqual({ ids: idsOf(unchanged), hasEvents: false, collects: false })

  expect(await allOf([ended, moved])).toMatchObject([
    {
      row: { state: 'succeeded', polls: 2, nextPollAt: null, finishedAt: changes[0]?.polledAt },
      snapshots: [{ polls: 1 }, { polls: 1, state: 'succeeded' }],
      events: ['import.running', 'import.succeeded'],
    },
    {
      row: { state: 'running', polls: 2, progress: 0.5, nextPollAt: changes[1]?.dueAt },
      snapshots: [{ polls: 1 }, { polls: 1, progress: 0.5 }],
      events: ['import.running'],
    },
  ])
  for (const [index, { row, snapshots, events }] of (await allOf(unchanged)).entries()) {
    const { polledAt, dueAt } = polls[index] as UnchangedPoll
    expect(row).toMatchObject({ state: 'running', polls: 2, lastPolledAt: polledAt, nextPollAt: dueAt })
    expect(snapshots).toMatchObject([{ polls: 2, lastSeenAt: polledAt }])
    expect(events).toEqual(['import.running'])
  }
})

test('of a round what is stale is left out, and the others are stored', async () => {
  const [late, stopped, fine] = (await running(3)) as [Tracked, Tracked, Tracked]
  const [lateToo, stoppedToo, fineToo] = (await running(3)) as [Tracked, Tracked, Tracked]
  const changes = await Promise.all([late, stopped, fine].map((row) => world.changed(row, { progress: 0.5 })))
  const note = { attention: 'stalled', attentionEvent: 'import.stalled' } as const
  const polls = [lateToo, stoppedToo, fineToo].map((row) => world.unchanged(row, { note }))
  for (const row of [late, lateToo]) await recordReport(world.db, await world.changed(row, { progress: 0.3 }))
  for (const row of [stopped, stoppedToo]) await stopImport(world, row.id)
  const others = [late, stopped, lateToo, stoppedToo]
  const before = await allOf(others)

  const { reports, polls: counted } = await store(changes, polls)
  expect([reports.ids, counted.ids]).toEqual([idsOf([fine]), idsOf([fineToo])])
  expect(await allOf(others)).toEqual(before)
  expect(await allOf([fine, fineToo])).toMatchObject([
    { row: { polls: 2, progress: 0.5 }, events: ['import.running'] },
    { row: { polls: 2, attention: 'stalled' }, events: ['import.running', 'import.stalled'] },
  ])
})

test('a report that Postgres refuses takes nothing of the others with it, which are stored without it', async () => {
  const rows = await running(4)
  const before = await allOf(rows)
  const tooMany = {
    total: 1e30,
    processed: null,
    succeeded: null,
    failed: null,
    inserted: null,
    updated: null,
    skipped: null,
  }
  const changes = await Promise.all(rows.slice(0, 2).map((row) => world.changed(row, { progress: 0.5 })))
  const broken = await world.changed(rows[2] as Tracked, { rows: tooMany })
  const poll = world.unchanged(rows[3] as Tracked)

  const refused = await store([...changes, broken], [poll]).catch((error: unknown) => error)
  expect(refused).toBeInstanceOf(Error)
  expect(mayPass(refused)).toBe(false) // so that nobody tries the same again and again
  expect(await allOf(rows)).toEqual(before)

  const { reports, polls } = await store(changes, [poll])
  expect([reports.ids.size, polls.ids.size]).toEqual([2, 1])
  expect(await world.importRow((rows[2] as Tracked).id)).toEqual(before[2]?.row)
})

test('a poll that Postgres refuses takes nothing of the others with it, which are stored without it', async () => {
  const rows = await running(3)
  const before = await allOf(rows)
  const polls = rows.map((row, index) => world.unchanged(row, { failures: index === 1 ? 2 ** 40 : 0 }))
  const refused = await store([], polls).catch((error: unknown) => error)
  expect(refused).toBeInstanceOf(Error)
  expect(mayPass(refused)).toBe(false)
  expect(await allOf(rows)).toEqual(before)

  const { polls: counted } = await store(
    [],
    polls.filter((_poll, index) => index !== 1),
  )
  expect(counted.ids).toEqual(idsOf([rows[0], rows[2]] as Tracked[]))
})
