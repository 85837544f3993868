// Owns that each call that failed is counted exactly once, and stays so.
import { eq, sql } from 'drizzle-orm'
import { describe, expect, test } from 'vitest'
import { giveUpWalk, postponeFailed } from '../../src/collecting/checkpoint.ts'
import { leases } from '../../src/db/schema/index.ts'
import { deleteImport } from '../../src/imports/delete.ts'
import { stopImport } from '../../src/imports/stop.ts'
import { rollUp } from '../../src/reporting/daily-outcomes.ts'
import { countFailedCalls, type FailedCall } from '../../src/reporting/failed-calls.ts'
import { recordLost, recordReport, recordUnchanged } from '../imports/recording.ts'
import { useWorld } from '../support/worlds/world.ts'

const world = useWorld()
const addUp = () => rollUp(world, new AbortController().signal)
const timedOut: FailedCall = { call: 'status', code: 'timeout' }
const failedAt = (id: string, polledAt: Date) => ({ connection: { id }, failedCall: timedOut, polledAt })

/** What the view says of a connection: `day call code` and how many calls. */
async function counted(connectionId: string): Promise<Record<string, number>> {
  const { rows } = await world.db.execute<{ what: string; calls: number }>(sql`
    SELECT concat_ws(' ', day, call, code) AS what, calls::int FROM reporting.failed_calls
    WHERE connection_id = ${connectionId} ORDER BY 1`)
  return Object.fromEntries(rows.map(({ what, calls }) => [what, calls]))
}

/** Before and after it is added up. */
async function expectCounted(connectionId: string, expected: Record<string, number>): Promise<void> {
  expect(await counted(connectionId)).toEqual(expected)
  await addUp()
  expect(await counted(connectionId)).toEqual(expected)
}

const live = { state: 'running', fingerprint: 'seen' }

describe('a call counts in the transaction that records it', () => {
  test('where nothing changes, whatever else is in its batch', async () => {
    const [one, other] = [await world.connection(), await world.connection()]
    const rows = await Promise.all(
      [one, one, one, other, other].map(({ id: connectionId }) => world.import({ ...live, connectionId })),
    )
    const failedCalls = [timedOut, timedOut, { call: 'status', code: 'not_found' }, timedOut, null] as const
    const polls = rows.map((row, index) => world.unchanged(row, { failedCall: failedCalls[index] ?? null }))
    await recordUnchanged(world.db, polls)
    await expectCounted(one.id, { '2026-03-01 status not_found': 1, '2026-03-01 status timeout': 2 })
    await expectCounted(other.id, { '2026-03-01 status timeout': 1 })
  })

  test('where the import shows another attention by it', async () => {
    const connection = await world.connection()
    const row = await world.import({ ...live, connectionId: connection.id })
    const note = { attention: 'outcome_incomplete', attentionEvent: 'import.attention' } as const
    await recordUnchanged(world.db, [world.unchanged(row, { failedCall: timedOut, sameReport: false, note })])
    await expectCounted(connection.id, { '2026-03-01 status timeout': 1 })
  })

  test('where the import is lost by it, or over without its summary', async () => {
    const { id: connectionId } = await world.connection()
    const [gone, over] = [await world.import({ ...live, connectionId }), await world.import({ ...live, connectionId })]
    await recordLost(world.db, await world.lost(gone, { failedCall: { call: 'status', code: 'not_found' } }))
    const failedCall: FailedCall = { call: 'summary', code: 'server_error' }
    await recordReport(world.db, await world.changed(over, { state: 'failed' }, { failedCall }))
    await expectCounted(connectionId, { '2026-03-01 status not_found': 1, '2026-03-01 summary server_error': 1 })
  })

  test('where a page is asked for again, or given up', async () => {
    const { id: connectionId } = await world.connection()
    const now = world.clock.now()
    const row = await world.import({
      ...live,
      state: 'failed',
      connectionId,
      nextCollectAt: now,
    })
    const at = await world.checkpoint(row.id)
    if (!at) throw new Error('nothing to collect')
    const trouble = { collectFailures: 1, collectNotFounds: 0, collectFaults: 0, collectBegunAnew: false }
    const error = { code: 'any', message: 'No.', at: now.toISOString() }
    const giveUp = (walk: typeof at) => giveUpWalk(world.db, walk, { error, failed: 'not_found', now })
    const postponed = { trouble, error, failed: 'timeout', anew: false } as const
    await postponeFailed(world.db, at, now, postponed, now)
    // The lease is gone, so this is what somebody heard too late.
    await world.db.delete(leases).where(eq(leases.id, at.leaseId))
    await postponeFailed(world.db, at, now, postponed, now)
    await giveUp(at)
    await expectCounted(connectionId, { '2026-03-01 details timeout': 1 })

    await giveUp({ ...at, leaseId: await world.served('collect', connectionId, 1) })
    await expectCounted(connectionId, { '2026-03-01 details not_found': 1, '2026-03-01 details timeout': 1 })
  })

  test('and not where nothing is recorded', async () => {
    const { id: connectionId } = await world.connection()
    const row = await world.import({ ...live, connectionId })
    const late = world.unchanged(row, { failedCall: timedOut })
    const lost = await world.lost(row, { failedCall: timedOut })
    await stopImport(world, row.id)
    await recordUnchanged(world.db, [late])
    expect(await recordLost(world.db, lost)).toBe('stale')
    await expect(
      world.db.transaction(async (tx) => {
        await countFailedCalls(tx, [failedAt(connectionId, world.clock.now())])
        throw new Error('it breaks off')
      }),
    ).rejects.toThrow('it breaks off')
    await expectCounted(connectionId, {})
  })

  test('and not where calls went well', async () => {
    const { id: connectionId } = await world.connection()
    const row = await world.import({ ...live, connectionId })
    await recordUnchanged(world.db, [world.unchanged(row)])
    await recordReport(world.db, await world.changed(await world.importRow(row.id), { progress: 0.5 }))
    await expectCounted(connectionId, {})
  })
})

test('days are those of UTC, with the first and the last call of each', async () => {
  const { id: connectionId } = await world.connection()
  const moments = [
    '2026-03-08T00:00:00.000Z',
    '2026-03-08T12:00:00.000Z',
    '2026-03-08T23:59:59.999Z',
    '2026-03-09T00:00:00.000Z',
  ]
  for (const moment of moments) {
    await world.db.transaction((tx) => countFailedCalls(tx, [failedAt(connectionId, new Date(moment))]))
    await addUp()
  }
  const { rows } = await world.db.execute(sql`
    SELECT day::text, calls::int, first_failed_at, last_failed_at FROM reporting.failed_calls
    WHERE connection_id = ${connectionId} ORDER BY day`)
  const [first, , last, next] = moments.map((moment) => new Date(moment))
  expect(
    rows.map((row) => ({
      ...row,
      first_failed_at: new Date(String(row.first_failed_at)),
      last_failed_at: new Date(String(row.last_failed_at)),
    })),
  ).toEqual([
    { day: '2026-03-08', calls: 3, first_failed_at: first, last_failed_at: last },
    { day: '2026-03-09', calls: 1, first_failed_at: next, last_failed_at: next },
  ])
})

test('adding up at once in several processes while calls fail loses none, and counts none twice', async () => {
  const { id: connectionId } = await world.connection()
  const fail = () => world.db.transaction((tx) => countFailedCalls(tx, [failedAt(connectionId, world.clock.now())]))
  const day = world.clock.now().toISOString().slice(0, 10)
  for (let round = 1; round <= 5; round++) {
    await Promise.all([addUp(), fail(), addUp(), fail(), fail(), addUp()])
    expect(await counted(connectionId)).toEqual({ [`${day} status timeout`]: 3 * round })
  }
  await addUp()
  const { rows } = await world.db.execute(sql`SELECT 1 FROM failed_calls`)
  expect(rows).toEqual([])
  await expectCounted(connectionId, { [`${day} status timeout`]: 15 })
})

test('a deleted import leaves its calls where they are', async () => {
  const { id: connectionId } = await world.connection()
  const row = await world.import({ ...live, connectionId })
  await recordUnchanged(world.db, [world.unchanged(row, { failedCall: timedOut })])
  await deleteImport(world, row.id)
  const day = world.clock.now().toISOString().slice(0, 10)
  await expectCounted(connectionId, { [`${day} status timeout`]: 1 })
})
