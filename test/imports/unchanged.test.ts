import { expect, test } from 'vitest'
import { stopImport } from '../../src/imports/stop.ts'
import { useWorld } from '../support/worlds/world.ts'
import { recordReport, recordUnchanged } from './recording.ts'

const world = useWorld()

/** An import that a first report has been recorded of. */
async function running() {
  const row = await world.import()
  await recordReport(world.db, await world.changed(row, { progress: 0.5 }))
  return world.importRow(row.id)
}

test('the same report extends the last snapshot instead of adding one', async () => {
  const row = await running()
  const first = world.unchanged(row)
  await recordUnchanged(world.db, [first])
  const second = world.unchanged(await world.importRow(row.id))
  await recordUnchanged(world.db, [second])

  expect(await world.snapshotsOf(row.id)).toMatchObject([
    { polls: 3, firstSeenAt: row.lastPolledAt, lastSeenAt: second.polledAt },
  ])
  expect(await world.importRow(row.id)).toMatchObject({
    polls: 3,
    firstPolledAt: row.firstPolledAt,
    lastPolledAt: second.polledAt,
    nextPollAt: second.dueAt,
  })
  expect(await world.eventTypesOf(row.id)).toEqual(['import.running'])
})

test('a poll that failed is counted, and leaves the last snapshot alone', async () => {
  const row = await running()
  const lastError = { code: 'timeout', message: 'Too slow: "über".', at: world.clock.now().toISOString() }
  const failed = world.unchanged(row, { sameReport: false, failures: 1, note: { lastError } })
  await recordUnchanged(world.db, [failed])
  expect(await world.importRow(row.id)).toMatchObject({ polls: 2, failures: 1, lastError })
  expect(await world.snapshotsOf(row.id)).toMatchObject([{ polls: 1, lastSeenAt: row.lastPolledAt }])

  await recordUnchanged(world.db, [world.unchanged(await world.importRow(row.id))])
  expect(await world.importRow(row.id)).toMatchObject({ polls: 3, failures: 0, lastError: null })
})

test('the first poll of an import may fail: there is no snapshot yet', async () => {
  const row = await world.import()
  const failed = world.unchanged(row, { sameReport: false, notFounds: 0, failures: 1 })
  await recordUnchanged(world.db, [failed])
  expect(await world.importRow(row.id)).toMatchObject({ state: 'pending', polls: 1, firstPolledAt: failed.polledAt })
})

test('one statement records many imports, each as it is', async () => {
  const rows = await Promise.all(Array.from({ length: 50 }, running))
  const polls = rows.map((row, index) =>
    world.unchanged(row, { sameReport: index % 2 === 0, ...(index === 7 && { note: { attention: 'stalled' } }) }),
  )
  await recordUnchanged(world.db, polls)
  for (const [index, row] of rows.entries()) {
    expect(await world.importRow(row.id)).toMatchObject({
      polls: 2,
      lastPolledAt: polls[index]?.polledAt,
      nextPollAt: polls[index]?.dueAt,
      attention: index === 7 ? 'stalled' : null,
    })
    expect(await world.snapshotsOf(row.id)).toMatchObject([{ polls: index % 2 === 0 ? 2 : 1 }])
  }
})

test('of imports that have moved on nothing is stored, and the others of the batch are', async () => {
  const [stale, stopped, fine] = [await running(), await running(), await running()]
  const polls = [stale, stopped, fine].map((row) => world.unchanged(row))
  await recordUnchanged(world.db, [world.unchanged(stale)])
  await stopImport(world, stopped.id)
  const before = await Promise.all([stale, stopped].map(({ id }) => world.importRow(id)))

  await recordUnchanged(world.db, polls)
  expect(await Promise.all([stale, stopped].map(({ id }) => world.importRow(id)))).toEqual(before)
  expect(await world.snapshotsOf(stale.id)).toMatchObject([{ polls: 2 }])
  expect(await world.importRow(fine.id)).toMatchObject({ polls: 2 })
})

test('a poll after which the import shows another attention is stored with its event', async () => {
  const connection = await world.connection()
  const { id: endpointId } = await world.endpoint({ connections: [connection.name], types: ['import.attention'] })
  const row = await world.import({ connectionId: connection.id, state: 'running' })
  const lastError = { code: 'server_error', message: 'Oops.', at: world.clock.now().toISOString() }
  const note = { attention: 'outcome_incomplete', attentionEvent: 'import.attention', lastError } as const
  const poll = world.unchanged(row, { sameReport: false, failures: 1, note })

  expect(await recordUnchanged(world.db, [poll])).toEqual({ ids: new Set([row.id]), hasEvents: true, collects: false })
  expect(await world.importRow(row.id)).toMatchObject({
    polls: 1,
    attention: 'outcome_incomplete',
    attentionsTold: [],
    failures: 1,
    nextPollAt: poll.dueAt,
    lastError,
  })
  const [event] = await world.eventsOf(row.id)
  expect(JSON.parse(event?.body ?? '')).toMatchObject({
    type: 'import.attention',
    timestamp: poll.polledAt.toISOString(),
    data: { attention: 'outcome_incomplete', polls: 1, lastError },
  })
  expect(await world.deliveriesOf(endpointId)).toMatchObject([{ eventId: event?.id, state: 'pending' }])

  expect(await recordUnchanged(world.db, [poll])).toEqual({ ids: new Set(), hasEvents: false, collects: false })
  expect(await world.eventTypesOf(row.id)).toEqual(['import.attention'])
})

test('an attention that is told once is remembered as told', async () => {
  const row = await running()
  const note = { attention: 'stalled', attentionEvent: 'import.stalled' } as const
  await recordUnchanged(world.db, [world.unchanged(row, { note })])
  const stalled = await world.importRow(row.id)
  expect(stalled).toMatchObject({ attention: 'stalled', attentionsTold: ['stalled'] })
  const event = { attention: 'overdue', attentionEvent: 'import.overdue' } as const
  await recordReport(world.db, await world.changed(stalled, { progress: 0.6 }, event))
  expect(await world.importRow(row.id)).toMatchObject({ attentionsTold: ['stalled', 'overdue'] })
  expect(await world.eventTypesOf(row.id)).toEqual(['import.running', 'import.stalled', 'import.overdue'])
})

test('of polls that are stored at the same time one counts, and tells of what it raises', async () => {
  const rows = await Promise.all(Array.from({ length: 10 }, running))
  const note = { attention: 'stalled', attentionEvent: 'import.stalled' } as const
  const rounds = [0, 1, 2].map(() => rows.map((row) => world.unchanged(row, { note })))
  const stored = await Promise.all(rounds.map((round) => recordUnchanged(world.db, round)))
  expect(stored.reduce((sum, { ids }) => sum + ids.size, 0)).toBe(rows.length)
  for (const { id } of rows) {
    expect(await world.importRow(id)).toMatchObject({ polls: 2, attentionsTold: ['stalled'] })
    expect(await world.eventTypesOf(id)).toEqual(['import.running', 'import.stalled'])
  }
})
