import { expect, test } from 'vitest'
import { recordReport } from '../../src/imports/record.ts'
import { recordRaised, recordUnchanged } from '../../src/imports/record-unchanged.ts'
import { stopImport } from '../../src/imports/stop.ts'
import { useImportWorld } from './world.ts'

const world = useImportWorld()

/** An import that a first report has been recorded of. */
async function running() {
  const row = await world.tracked()
  await recordReport(world.db, await world.changed(row, { progress: 0.5 }))
  return world.row(row.id)
}

test('the same report extends the last snapshot instead of adding one', async () => {
  const row = await running()
  const first = world.unchanged(row)
  await recordUnchanged(world.db, [first])
  const second = world.unchanged(await world.row(row.id))
  await recordUnchanged(world.db, [second])

  expect(await world.snapshotsOf(row.id)).toMatchObject([
    { polls: 3, firstSeenAt: row.lastPolledAt, lastSeenAt: second.polledAt },
  ])
  expect(await world.row(row.id)).toMatchObject({
    polls: 3,
    firstPolledAt: row.firstPolledAt,
    lastPolledAt: second.polledAt,
    nextPollAt: second.nextPollAt,
  })
  expect(await world.eventTypesOf(row.id)).toEqual(['import.running'])
})

test('a poll that failed is counted, and leaves the last snapshot alone', async () => {
  const row = await running()
  const lastError = { code: 'timeout', message: 'Too slow: "über".', at: world.clock.now().toISOString() }
  const failed = world.unchanged(row, { sameReport: false, pollFailures: 1, lastError })
  await recordUnchanged(world.db, [failed])
  expect(await world.row(row.id)).toMatchObject({ polls: 2, pollFailures: 1, lastError })
  expect(await world.snapshotsOf(row.id)).toMatchObject([{ polls: 1, lastSeenAt: row.lastPolledAt }])

  await recordUnchanged(world.db, [world.unchanged(await world.row(row.id))])
  expect(await world.row(row.id)).toMatchObject({ polls: 3, pollFailures: 0, lastError: null })
})

test('the first poll of an import may fail: there is no snapshot yet', async () => {
  const row = await world.tracked()
  const failed = world.unchanged(row, { sameReport: false, notFoundPolls: 0, pollFailures: 1 })
  await recordUnchanged(world.db, [failed])
  expect(await world.row(row.id)).toMatchObject({ state: 'pending', polls: 1, firstPolledAt: failed.polledAt })
})

test('one statement records many imports, each as it is', async () => {
  const rows = await Promise.all(Array.from({ length: 50 }, running))
  const polls = rows.map((row, index) =>
    world.unchanged(row, { sameReport: index % 2 === 0, attention: index === 7 ? 'stalled' : null }),
  )
  await recordUnchanged(world.db, polls)
  for (const [index, row] of rows.entries()) {
    expect(await world.row(row.id)).toMatchObject({
      polls: 2,
      lastPolledAt: polls[index]?.polledAt,
      nextPollAt: polls[index]?.nextPollAt,
      pollLeaseUntil: null,
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
  const before = await Promise.all([stale, stopped].map(({ id }) => world.row(id)))

  await recordUnchanged(world.db, polls)
  expect(await Promise.all([stale, stopped].map(({ id }) => world.row(id)))).toEqual(before)
  expect(await world.snapshotsOf(stale.id)).toMatchObject([{ polls: 2 }])
  expect(await world.row(fine.id)).toMatchObject({ polls: 2 })
})

test('a poll after which the import shows another attention is stored with its event', async () => {
  const connection = await world.connection()
  const endpointId = await world.endpoint(connection.name)
  const row = await world.tracked({ connectionId: connection.id, state: 'running' })
  const lastError = { code: 'server_error', message: 'Oops.', at: world.clock.now().toISOString() }
  const poll = world.unchanged(row, { sameReport: false, attention: 'outcome_incomplete', pollFailures: 1, lastError })
  const raised = { ...poll, connection, from: 'running', attentionEvent: 'import.attention' } as const

  expect(await recordRaised(world.db, raised)).toMatchObject({ kind: 'recorded', events: ['import.attention'] })
  expect(await world.row(row.id)).toMatchObject({
    polls: 1,
    attention: 'outcome_incomplete',
    attentionsTold: [],
    pollFailures: 1,
    nextPollAt: poll.nextPollAt,
    lastError,
  })
  const [event] = await world.eventsOf(row.id)
  expect(JSON.parse(event?.body ?? '')).toMatchObject({
    type: 'import.attention',
    timestamp: poll.polledAt.toISOString(),
    data: { attention: 'outcome_incomplete', polls: 1, lastError },
  })
  expect(await world.deliveriesTo(endpointId)).toMatchObject([{ eventId: event?.id, state: 'pending' }])

  expect(await recordRaised(world.db, raised)).toEqual({ kind: 'stale' })
  expect(await world.eventTypesOf(row.id)).toEqual(['import.attention'])
})

test('an attention that is told once is remembered as told', async () => {
  const row = await running()
  const connection = { id: row.connectionId, name: 'a', provider: 'cdq' }
  const poll = world.unchanged(row, { attention: 'stalled' })
  await recordRaised(world.db, { ...poll, connection, from: 'running', attentionEvent: 'import.stalled' })
  const stalled = await world.row(row.id)
  expect(stalled).toMatchObject({ attention: 'stalled', attentionsTold: ['stalled'] })
  const event = { attention: 'overdue', attentionEvent: 'import.overdue' } as const
  await recordReport(world.db, await world.changed(stalled, { progress: 0.6 }, event))
  expect(await world.row(row.id)).toMatchObject({ attentionsTold: ['stalled', 'overdue'] })
  expect(await world.eventTypesOf(row.id)).toEqual(['import.running', 'import.stalled', 'import.overdue'])
})
