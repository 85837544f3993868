import { describe, expect, test, vi } from 'vitest'
import { AppError } from '../../src/api/refusal.ts'
import { newId } from '../../src/base/ids.ts'
import { type Registered, type Registration, registerImport, registerImports } from '../../src/imports/register.ts'
import { useWorld } from '../support/worlds/world.ts'

const world = useWorld()

const ids = (outcomes: (Registered | AppError)[]) =>
  outcomes.map((outcome) => (outcome instanceof AppError ? outcome.code : outcome.importId))

describe('registering', () => {
  test('makes an import that is due at once, and stays so however often it is asked for', async () => {
    const { name: connection, id: connectionId } = await world.connection({ limits: { deadlineMs: 5_000 } })
    const now = world.clock.now()
    const first = await registerImport(world, { connection, jobId: 'j', metadata: { team: 'crm' } })
    expect(first.created).toBe(true)
    const row = await world.importRow(first.importId)
    expect(row).toMatchObject({
      connectionId,
      jobId: 'j',
      state: 'pending',
      registeredAt: now,
      nextPollAt: now,
      deadlineMs: 5_000,
      deadlineAt: new Date(now.getTime() + 5_000),
      metadata: { team: 'crm' },
      polls: 0,
    })

    world.clock.advance(1_000)
    const again = await registerImport(world, { connection, jobId: 'j', metadata: { team: 'other' }, deadlineMs: 1 })
    expect(again).toEqual({ importId: first.importId, created: false })
    expect(await world.importRow(first.importId)).toEqual(row)
    expect(await world.eventsOf(first.importId)).toEqual([])
  })

  test('tells jobs of different connections apart', async () => {
    const [one, other] = [await world.connection(), await world.connection()]
    const outcomes = await Promise.all(
      [one, other].map(({ name }) => registerImport(world, { connection: name, jobId: 'same' })),
    )
    expect(new Set(outcomes.map(({ importId }) => importId)).size).toBe(2)
  })

  test('is refused with the field where it is wrong', async () => {
    const { name: connection } = await world.connection()
    const refused: [Registration, string][] = [
      [{ connection: 'no-such', jobId: 'j' }, 'connection'],
      [{ connection }, 'jobId'],
      [{ connection, jobId: '..' }, 'jobId'],
      [{ connection, jobId: 'j', result: { status: 42, result: 'nothing like it' } }, 'result'],
      [{ connection, result: { id: 'j', status: 'RUNNING' } }, 'jobId'],
    ]
    for (const [registration, field] of refused)
      await expect(registerImport(world, registration)).rejects.toMatchObject({
        code: 'invalid_request',
        errors: [{ field }],
      })
  })

  test('over a deleted connection is refused', async () => {
    const { name: connection } = await world.connection({ deletedAt: world.clock.now() })
    await expect(registerImport(world, { connection, jobId: 'j' })).rejects.toMatchObject({ code: 'invalid_request' })
  })
})

describe('a batch', () => {
  test('registers what is right, once each, and answers in order', async () => {
    const { name: connection } = await world.connection()
    const { importId: known } = await registerImport(world, { connection, jobId: 'known' })
    const outcomes = await registerImports(world, [
      { connection, jobId: 'a' },
      { connection: 'no-such', jobId: 'a' },
      { connection, jobId: 'known' },
      { connection, jobId: 'a' },
      { connection },
      { connection, jobId: 'b' },
    ])
    expect(outcomes.map((outcome) => (outcome instanceof AppError ? outcome.code : outcome.created))).toEqual([
      true,
      'invalid_request',
      false,
      false,
      'invalid_request',
      true,
    ])
    const [a, , knownAgain, aAgain] = ids(outcomes)
    expect([knownAgain, aAgain]).toEqual([known, a])
  })

  test('spreads its first polls over the shortest interval', async () => {
    const { name: connection } = await world.connection({ limits: { minIntervalMs: 10_000 } })
    const outcomes = await registerImports(
      world,
      Array.from({ length: 40 }, (_, index) => ({ connection, jobId: `spread-${index}` })),
    )
    const delays = await Promise.all(
      ids(outcomes).map(async (id) => Number((await world.importRow(id)).nextPollAt) - Number(world.clock.now())),
    )
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...delays)).toBeLessThanOrEqual(10_000)
    expect(Math.max(...delays) - Math.min(...delays)).toBeGreaterThan(5_000)
  })

  test('of nothing but refusals stores nothing', async () => {
    const outcomes = await registerImports(world, [{ connection: 'no-such' }, { connection: 'nor-this', jobId: 'a' }])
    expect(ids(outcomes)).toEqual(['invalid_request', 'invalid_request'])
    expect(await registerImports(world, [])).toEqual([])
  })
})

describe('an answer that came inline', () => {
  const complete = {
    job_id: null,
    status: 'complete',
    total: 2,
    processed: 2,
    succeeded: 1,
    failed: 1,
    results: [{ id: 'r1', created: true, existing: false }, { error: { code: 'invalid_row', message: 'No email.' } }],
  }

  test('is recorded as a poll would have been, and is over without one', async () => {
    const { name: connection } = await world.connection({ provider: 'micro' })
    const { id: endpointId } = await world.endpoint({
      connections: [connection],
      types: ['import.partial', 'import.rows_collected'],
    })
    const { importId } = await registerImport(world, { connection, result: complete })
    expect(await world.importRow(importId)).toMatchObject({
      jobId: `inline-${importId}`,
      state: 'partial',
      polls: 0,
      firstPolledAt: null,
      nextPollAt: null,
      finishedAt: world.clock.now(),
      rowsFailed: 1,
      detailsState: 'complete',
      rowResults: 2,
    })
    expect(await world.eventTypesOf(importId)).toEqual(['import.partial', 'import.rows_collected'])
    expect(await world.deliveriesOf(endpointId)).toHaveLength(2)
    expect(await world.rowResultsOf(importId)).toMatchObject([{ recordId: 'r1' }, { errorCode: 'invalid_row' }])
  })

  test('of a job that goes on is polled from then on', async () => {
    const { name: connection } = await world.connection({ provider: 'micro' })
    const result = { ...complete, job_id: 'j', status: 'processing', results: undefined }
    const { importId } = await registerImport(world, { connection, jobId: 'j', result })
    expect(await world.importRow(importId)).toMatchObject({
      state: 'running',
      progress: 1,
      nextPollAt: world.clock.now(),
    })
    expect(await world.eventTypesOf(importId)).toEqual(['import.running'])
  })

  test('for a job that is registered already changes nothing', async () => {
    const { name: connection } = await world.connection({ provider: 'micro' })
    const { importId } = await registerImport(world, { connection, jobId: 'j' })
    expect(await registerImport(world, { connection, jobId: 'j', result: complete })).toEqual({
      importId,
      created: false,
    })
    expect(await world.importRow(importId)).toMatchObject({ state: 'pending' })
    expect(await world.eventsOf(importId)).toEqual([])
  })

  test('of another provider’s form is refused beside its neighbours', async () => {
    const [micro, fullstory] = [
      await world.connection({ provider: 'micro' }),
      await world.connection({ provider: 'fullstory' }),
    ]
    const outcomes = await registerImports(world, [
      { connection: micro.name, result: complete },
      { connection: fullstory.name, result: complete },
    ])
    expect(ids(outcomes)[1]).toBe('invalid_request')
    expect(outcomes[0]).toMatchObject({ created: true })
  })
})

describe('at the same time', () => {
  test('the same job from two transactions is one import', async () => {
    const { name: connection } = await world.connection()
    const outcomes = await Promise.all(
      Array.from({ length: 8 }, () => registerImport(world, { connection, jobId: 'contested' })),
    )
    expect(new Set(outcomes.map(({ importId }) => importId)).size).toBe(1)
    expect(outcomes.filter(({ created }) => created)).toHaveLength(1)
  })

  test('two batches that meet in opposite orders both succeed', async () => {
    const { name: connection, id: connectionId } = await world.connection()
    const [a, between, z] = ['job-a', 'job-m', 'job-z'].map((jobId) => ({ connection, jobId }))
    if (!a || !between || !z) throw new Error('three jobs')
    const third = await world.database.pool.connect()
    await third.query('BEGIN')
    await third.query(
      `INSERT INTO imports (id, connection_id, job_id, state, registered_at, deadline_ms, deadline_at, metadata)
       VALUES ($1, $2, 'job-m', 'pending', now(), 1, now(), '{}')`,
      [newId(), connectionId],
    )
    const both = Promise.all([registerImports(world, [a, between, z]), registerImports(world, [z, between, a])])
    await vi.waitFor(async () => expect(await waitingForLocks()).toBe(2))
    await third.query('COMMIT')
    third.release()

    const [one, other] = await both
    expect(ids(other).toReversed()).toEqual(ids(one))
  })
})

async function waitingForLocks(): Promise<number> {
  const { rows } = await world.database.pool.query(
    `SELECT count(*)::int AS waiting FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
  )
  return rows[0].waiting
}
