import { expect, test } from 'vitest'
import {
  type Checkpoint,
  giveUpWalk,
  postpone,
  postponeFailed,
  storeCollectedPage,
} from '../../src/collecting/checkpoint.ts'
import { goingOn } from '../../src/imports/pages.ts'
import type { DetailPage } from '../../src/providers/contract.ts'
import { leaseMs } from '../../src/work/leases.ts'
import { aPage } from '../support/worlds/polls.ts'
import { useWorld } from '../support/worlds/world.ts'

const world = useWorld()

/** An import that is over, whose rows are to be collected. */
async function collecting() {
  const connection = await world.connection()
  const { id } = await world.import({
    connectionId: connection.id,
    state: 'partial',
    finishedAt: world.clock.now(),
    detailsState: 'pending',
    nextCollectAt: world.clock.now(),
  })
  const store = (at: Checkpoint, page: Partial<DetailPage>) =>
    storeCollectedPage(world.db, at, aPage(page), world.clock.now())
  return { id, store, load: () => load(id) }
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
  expect(await world.importRow(id)).toMatchObject({
    detailsState: 'complete',
    skippedLines: 2,
    rowsSkipped: 2,
    nextCollectAt: null,
  })
  expect(await world.eventTypesOf(id)).toEqual(['import.rows_collected'])
  expect(await world.checkpoint(id)).toBeNull()
})

test.each(['', 'a', 'b'])('a cursor that was used before, such as "%s", ends it', async (repeated) => {
  const { id, store, load } = await collecting()
  await store(await load(), { skippedLines: [line(1)], next: 'a' })
  await store(await load(), { skippedLines: [line(2)], next: 'b' })
  expect(await store(await load(), { skippedLines: [line(3)], next: repeated })).toEqual({ kind: 'complete' })
  expect(await world.importRow(id)).toMatchObject({ detailsState: 'complete', skippedLines: 3 })
})

test('a cursor that was used before ends one of several lists, and the one behind it follows', async () => {
  const { id, store, load } = await collecting()
  await store(await load(), { skippedLines: [line(1)], next: 'a', behind: 'z' })
  await store(await load(), { skippedLines: [line(2)], next: 'b', behind: 'z' })
  const last = await store(await load(), { skippedLines: [line(3)], next: 'a', behind: 'z' })
  expect(last).toMatchObject({ kind: 'stored', next: { page: 3, cursor: 'z' } })
  expect(await load()).toMatchObject({ page: 3, cursor: 'z' })
  expect(await store(await load(), { skippedLines: [line(4)], next: 'a' })).toEqual({ kind: 'complete' })
  expect(await world.importRow(id)).toMatchObject({ detailsState: 'complete', skippedLines: 4 })
})

test('a walk whose lease has run out does nothing to what another one goes on with', async () => {
  const { id, store, load } = await collecting()
  const stalled = await load()
  world.clock.advance(leaseMs)
  // Nobody has taken over yet.
  expect(await store(stalled, { skippedLines: [line(1)], next: 'b' })).toEqual({ kind: 'superseded' })
  expect(await store(stalled, { skippedLines: [line(1)] })).toEqual({ kind: 'superseded' })
  expect(await world.importRow(id)).toMatchObject({ detailsState: 'pending', skippedLines: 0 })
  const first = await store(await load(), { skippedLines: [line(1)], next: 'b' })
  if (first.kind !== 'stored') throw new Error(first.kind)
  await store(first.next, { skippedLines: [line(2)], next: 'c' })
  const before = await world.importRow(id)

  // Its page is stored already, and so is the one after it: that doesn't mean that the list is at its end.
  expect(await store(stalled, { skippedLines: [line(1)], next: 'b' })).toEqual({ kind: 'superseded' })
  const now = world.clock.now()
  await postpone(world.db, stalled, now, now)
  const error = { code: 'any', message: 'No.', at: now.toISOString() }
  const trouble = { ...goingOn, collectBegunAnew: false }
  await postponeFailed(world.db, stalled, now, { trouble, error, failed: 'timeout', anew: true }, now)
  await giveUpWalk(world.db, stalled, { error, failed: null, now })
  expect(await world.importRow(id)).toEqual(before)

  await store(await load(), { skippedLines: [line(3)] })
  await postpone(world.db, stalled, now, now)
  expect(await world.importRow(id)).toMatchObject({ detailsState: 'complete', skippedLines: 3, nextCollectAt: null })
  expect(await world.eventTypesOf(id)).toEqual(['import.rows_collected'])
})

test('one that is given up keeps what is stored, and says that it is not all', async () => {
  const { id, store, load } = await collecting()
  await store(await load(), { skippedLines: [line(1)], next: 'b' })
  const error = { code: 'forbidden', message: 'No.', at: world.clock.now().toISOString() }
  await giveUpWalk(world.db, await load(), { error, failed: null, now: world.clock.now() })
  expect(await world.importRow(id)).toMatchObject({ detailsState: 'incomplete', skippedLines: 1, nextCollectAt: null })
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
