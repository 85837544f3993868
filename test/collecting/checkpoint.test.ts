import { expect, test } from 'vitest'
import { type Checkpoint, leased, postpone, storeCollectedPage } from '../../src/collecting/checkpoint.ts'
import { giveUp } from '../../src/collecting/give-up.ts'
import { claimCollections } from '../../src/connections/rooms.ts'
import type { DetailPage } from '../../src/providers/contract.ts'
import { collectLeaseMs } from '../../src/work/leases.ts'
import { aPage, useImportWorld } from '../imports/world.ts'

const world = useImportWorld()

/** An import that is over, whose collection has just been claimed. */
async function collecting() {
  const connection = await world.connection()
  const { id } = await world.tracked({
    connectionId: connection.id,
    state: 'partial',
    nextPollAt: null,
    finishedAt: world.clock.now(),
    detailsState: 'pending',
    nextCollectAt: world.clock.now(),
  })
  expect((await claimCollections(world.db, world.clock.now())).ids).toContain(id)
  const store = (at: Checkpoint, page: Partial<DetailPage>) =>
    storeCollectedPage(world.db, at, connection, aPage(page), world.clock.now())
  return { id, connection, store, load: () => load(id) }
}

async function load(id: string): Promise<Checkpoint> {
  const checkpoint = await world.checkpoint(id)
  if (!checkpoint) throw new Error('there is nothing to collect')
  return checkpoint
}

const line = (number: number) => ({ line: number, column: 1 })

test('after every page the database says where to go on', async () => {
  const { id, store, load } = await collecting()
  expect(await load()).toMatchObject({ page: 0, cursor: '' })
  const first = await store(await load(), { skippedLines: [line(1)], next: 'b' })
  expect(first).toMatchObject({ kind: 'stored', next: { page: 1, cursor: 'b' } })
  expect(await load()).toMatchObject({ page: 1, cursor: 'b' })
  expect(await store(await load(), { skippedLines: [line(2)] })).toEqual({ kind: 'complete' })
  expect(await world.row(id)).toMatchObject({
    detailsState: 'complete',
    skippedLines: 2,
    rowsSkipped: 2,
    nextCollectAt: null,
    collectLeaseUntil: null,
  })
  expect(await world.eventTypesOf(id)).toEqual(['import.rows_collected'])
  expect(await world.checkpoint(id)).toBeNull()
})

test('a stored page leaves a lease that outlasts the longest call for the next', async () => {
  const { id, store, load } = await collecting()
  for (const next of ['b', 'c', 'd']) {
    world.clock.advance(20_000)
    await store(await load(), { skippedLines: [line(1)], next })
    const { collectLeaseUntil } = await world.row(id)
    expect(collectLeaseUntil?.getTime()).toBeGreaterThan(world.clock.now().getTime() + 45_000)
  }
})

test.each(['', 'a', 'b'])('a cursor that was used before, such as "%s", ends it', async (repeated) => {
  const { id, store, load } = await collecting()
  await store(await load(), { skippedLines: [line(1)], next: 'a' })
  await store(await load(), { skippedLines: [line(2)], next: 'b' })
  expect(await store(await load(), { skippedLines: [line(3)], next: repeated })).toEqual({ kind: 'complete' })
  expect(await world.row(id)).toMatchObject({ detailsState: 'complete', skippedLines: 3 })
})

test('a page renews the lease', async () => {
  const { id, store, load } = await collecting()
  world.clock.advance(collectLeaseMs - 1)
  await store(await load(), { next: 'b' })
  expect((await world.row(id)).collectLeaseUntil).toEqual(new Date(world.clock.now().getTime() + collectLeaseMs))
})

test('a walk whose lease has run out does nothing to what another one goes on with', async () => {
  const { id, connection, store, load } = await collecting()
  const stalled = await load()
  world.clock.advance(collectLeaseMs)
  expect((await claimCollections(world.db, world.clock.now())).ids).toContain(id)
  const first = await store(await load(), { skippedLines: [line(1)], next: 'b' })
  if (first.kind !== 'stored') throw new Error(first.kind)
  await store(first.next, { skippedLines: [line(2)], next: 'c' })
  const before = await world.row(id)

  // Its page is stored already, and so is the one after it: that doesn't mean that the list is at its end.
  expect(await store(stalled, { skippedLines: [line(1)], next: 'b' })).toEqual({ kind: 'superseded' })
  await postpone(world.db, stalled, world.clock.now())
  const error = { code: 'any', message: 'No.', at: world.clock.now().toISOString() }
  await giveUp(world.db, leased(stalled), { connection, error, failed: null, now: world.clock.now() })
  expect(await world.row(id)).toEqual(before)

  await store(await load(), { skippedLines: [line(3)] })
  await postpone(world.db, stalled, world.clock.now())
  expect(await world.row(id)).toMatchObject({ detailsState: 'complete', skippedLines: 3, nextCollectAt: null })
  expect(await world.eventTypesOf(id)).toEqual(['import.rows_collected'])
})

test('one that is given up keeps what is stored, and says that it is not all', async () => {
  const { id, connection, store, load } = await collecting()
  await store(await load(), { skippedLines: [line(1)], next: 'b' })
  const error = { code: 'forbidden', message: 'No.', at: world.clock.now().toISOString() }
  await giveUp(world.db, leased(await load()), { connection, error, failed: null, now: world.clock.now() })
  expect(await world.row(id)).toMatchObject({ detailsState: 'incomplete', skippedLines: 1, nextCollectAt: null })
  const [event, ...others] = await world.eventsOf(id)
  expect(others).toEqual([])
  expect(event?.type).toBe('import.rows_incomplete')
  expect(JSON.parse(event?.body ?? '').data.details).toEqual({
    state: 'incomplete',
    skippedLines: 1,
    rowResults: 0,
    lastError: error,
  })
})
