import { describe, expect, test } from 'vitest'
import { newId } from '../../src/ids.ts'
import { pollNow } from '../../src/imports/poll-now.ts'
import { recordReport } from '../../src/imports/record.ts'
import { resumeImport } from '../../src/imports/resume.ts'
import { type ImportState, states } from '../../src/imports/state.ts'
import { stopImport } from '../../src/imports/stop.ts'
import { useImportWorld } from './world.ts'

const world = useImportWorld()
const endedByProvider: ImportState[] = ['succeeded', 'partial', 'failed', 'canceled']
const live: ImportState[] = ['pending', 'queued', 'running']

const inState = (state: ImportState) =>
  world.tracked({ state, ...(!live.includes(state) && { nextPollAt: null, finishedAt: world.clock.now() }) })

describe('stopping', () => {
  test.each(live)('ends the tracking of one that is %s, with one event', async (state) => {
    const { id } = await world.tracked({ state, pollLeaseUntil: world.clock.now(), attention: 'unmapped_status' })
    await stopImport(world, id)
    await stopImport(world, id)
    expect(await world.row(id)).toMatchObject({
      state: 'stopped',
      attention: null,
      nextPollAt: null,
      pollLeaseUntil: null,
      finishedAt: world.clock.now(),
    })
    expect(await world.eventTypesOf(id)).toEqual(['import.stopped'])
  })

  test.each([...endedByProvider, 'lost' as const])('is refused for one that is %s', async (state) => {
    const row = await inState(state)
    await expect(stopImport(world, row.id)).rejects.toMatchObject({ code: 'conflict' })
    expect(await world.row(row.id)).toEqual(row)
  })

  test('twice at once writes one event', async () => {
    const { id } = await inState('running')
    await Promise.all([stopImport(world, id), stopImport(world, id), stopImport(world, id)])
    expect(await world.eventTypesOf(id)).toEqual(['import.stopped'])
  })
})

describe('resuming', () => {
  test.each(['lost', 'stopped'] as const)(
    'asks again about one that was %s, with a deadline as long as before',
    async (state) => {
      const { id } = await world.tracked({
        state,
        lostReason: state === 'lost' ? 'deadline' : null,
        nextPollAt: null,
        finishedAt: world.clock.now(),
        deadlineMs: 60_000,
        pollFailures: 3,
        notFoundPolls: 3,
        attention: 'forbidden',
        lastError: { code: 'not_found', message: '', at: '' },
      })
      world.clock.advance(600_000)
      const now = world.clock.now()
      await resumeImport(world, id)
      expect(await world.row(id)).toMatchObject({
        state: 'pending',
        lostReason: null,
        attention: null,
        finishedAt: null,
        nextPollAt: now,
        deadlineAt: new Date(now.getTime() + 60_000),
        pollFailures: 0,
        notFoundPolls: 0,
        lastError: null,
      })
      expect(await world.eventTypesOf(id)).toEqual(['import.resumed'])
    },
  )

  test.each(live)('leaves one alone that is %s', async (state) => {
    const row = await inState(state)
    await resumeImport(world, row.id)
    expect(await world.row(row.id)).toEqual(row)
    expect(await world.eventsOf(row.id)).toEqual([])
  })

  test.each(endedByProvider)('is refused for one that is %s', async (state) => {
    await expect(resumeImport(world, (await inState(state)).id)).rejects.toMatchObject({ code: 'conflict' })
  })

  test('makes an answer stale that was asked for before it was stopped', async () => {
    const row = await inState('running')
    const asked = await world.changed(row, { progress: 0.9 })
    await stopImport(world, row.id)
    await resumeImport(world, row.id)
    expect(await recordReport(world.db, asked)).toEqual({ kind: 'stale' })
    expect(await world.row(row.id)).toMatchObject({ state: 'pending', progress: null })
    expect(await world.eventTypesOf(row.id)).toEqual(['import.stopped', 'import.resumed'])
  })
})

describe('asking now', () => {
  test.each(live)('makes one due that is %s, and tells nobody', async (state) => {
    const { id } = await world.tracked({ state, nextPollAt: new Date('2027-01-01T00:00:00Z') })
    await pollNow(world, id)
    expect(await world.row(id)).toMatchObject({ state, nextPollAt: world.clock.now() })
    expect(await world.eventsOf(id)).toEqual([])
  })

  test('is refused for one that is over', async () => {
    for (const state of states.filter((state) => !live.includes(state)))
      await expect(pollNow(world, (await inState(state)).id)).rejects.toMatchObject({ code: 'conflict' })
  })
})

test('what is done to an import that does not exist is not_found', async () => {
  for (const verb of [stopImport, resumeImport, pollNow])
    await expect(verb(world, newId())).rejects.toMatchObject({ code: 'not_found' })
})
