import { eq, inArray } from 'drizzle-orm'
import { describe, expect, test } from 'vitest'
import { mendTimes } from '../../src/app/mend-times.ts'
import { after } from '../../src/base/clock.ts'
import { newId } from '../../src/base/ids.ts'
import { reserveRequest } from '../../src/connections/reserve.ts'
import { connectionsToServe } from '../../src/connections/rooms.ts'
import { leases, polling } from '../../src/db/schema/index.ts'
import { oldestDue } from '../../src/polling/work.ts'
import { politeDefaults } from '../../src/providers/polite-defaults.ts'
import { leaseMs } from '../../src/work/leases.ts'
import { useWorld } from '../support/worlds/world.ts'

const world = useWorld()
const dayMs = 86_400_000
const now = () => world.clock.now()
const ahead = (ms = 2 * dayMs) => after(now(), ms)
const mend = () => mendTimes(world.db, now(), { thorough: true })
const toServe = () => connectionsToServe(world.db, { kind: 'poll', oldestDue: oldestDue(now()), limit: 1_000 }, now())
const leaseUntil = async (id: string) =>
  (await world.db.select().from(leases).where(eq(leases.id, id)))[0]?.until ?? null

describe('after a clock that was ahead', () => {
  test.each([
    ['blockedUntil', {}],
    ['nextRequestAt', { limits: { requestsPerSecond: 5 } }],
    ['nextProbeAt', { pausedAt: new Date('2026-03-01T11:00:00.000Z') }],
  ] as const)('a connection’s %s keeps nobody waiting', async (column, more) => {
    const { id: connectionId } = await world.connection({ [column]: ahead(), ...more })
    await world.import({ connectionId })
    expect(await toServe()).not.toContain(connectionId)
    await mend()
    expect(await toServe()).toContain(connectionId)
  })

  test('what was to be polled or collected then is due, and leases until then are over', async () => {
    const late = [
      await world.import({ nextPollAt: ahead() }),
      await world.import({ nextPollAt: ahead(2 * 3_600_000) }),
      await world.import({
        nextPollAt: ahead(2 * 3_600_000),
        lastPolledAt: ahead(2 * 3_600_000),
        lastError: { code: 'timeout', message: '', at: '' },
      }),
    ]
    const collected = await world.import({ state: 'partial', nextCollectAt: ahead() })
    const lease = await world.served('poll', newId())
    await world.db.update(leases).set({ until: ahead() }).where(eq(leases.id, lease))
    await mend()
    for (const { id } of late) {
      expect(await world.importRow(id)).toMatchObject({ nextPollAt: now() })
    }
    expect(await leaseUntil(lease)).toBeNull()
    expect((await world.importRow(collected.id)).nextCollectAt).toEqual(now())
  })

  test('a deadline is no later than from now', async () => {
    const { id, deadlineMs } = await world.import({ deadlineAt: ahead() })
    await mend()
    expect((await world.importRow(id)).deadlineAt).toEqual(after(now(), deadlineMs))
  })

  test('endpoints and deliveries are due by their schedule', async () => {
    const { id: endpointId } = await world.endpoint({
      blockedUntil: ahead(),
      nextProbeAt: ahead(),
      failingSince: ahead(),
      updatedAt: ahead(),
    })
    await world.delivery({ endpointId, attempts: 1, nextAttemptAt: ahead() })
    await mend()
    expect(await world.endpointRow(endpointId)).toMatchObject({
      blockedUntil: null,
      nextProbeAt: now(),
      failingSince: now(),
      updatedAt: now(),
    })
    const [delivery] = await world.deliveriesOf(endpointId)
    expect(delivery?.nextAttemptAt).toEqual(now())
  })

  test('a month that is still to come has used up of this one what was counted for it', async () => {
    const limits = { requestsPerMonth: 10 }
    const { id: connectionId } = await world.connection({ limits, budgetMonth: '2026-04', monthRequests: 10 })
    await world.import({ connectionId })
    expect(await toServe()).not.toContain(connectionId)
  })
})

test('what the rules can have set stays as it is', async () => {
  const hour = 3_600_000
  const { id: connectionId } = await world.connection({
    blockedUntil: ahead(24 * hour),
    nextProbeAt: ahead(180_000),
    nextRequestAt: ahead(2_000),
  })
  const before = await world.connectionRow(connectionId)
  const polled = await world.import({ connectionId, nextPollAt: ahead(60_000) })
  const failed = await world.import({
    connectionId,
    nextPollAt: ahead(24 * hour),
    lastPolledAt: now(),
    lastError: { code: 'unavailable', message: '', at: '' },
  })
  const lease = await world.served('poll', connectionId)
  await mend()
  expect(await world.connectionRow(connectionId)).toEqual(before)
  expect(await leaseUntil(lease)).toEqual(ahead(leaseMs))
  for (const row of [polled, failed]) expect(await world.importRow(row.id)).toEqual(row)
})

test('a request that can’t be soon is not reserved', async () => {
  const own = { requestsPerSecond: 5, requestsPerMonth: 1, maxInFlight: 10 }
  const limits = { ...politeDefaults, ...own }
  const { id } = await world.connection({ limits: own, budgetMonth: '2026-03', monthRequests: 1 })
  expect(await reserveRequest(world.db, { id, limits }, now())).toEqual(new Date('2026-04-01T00:00:00.000Z'))
  expect(await world.connectionRow(id)).toMatchObject({ budgetMonth: '2026-03', monthRequests: 1, nextRequestAt: null })
})

test('a live import whose row in polling somebody has deleted is polled again, and no other', async () => {
  const { id } = await world.import({ state: 'running' })
  const over = await world.import({ state: 'succeeded', finishedAt: now() })
  const isPolled = async (importId: string) =>
    (await world.db.select().from(polling).where(eq(polling.importId, importId))).length === 1
  await world.db.delete(polling).where(inArray(polling.importId, [id, over.id]))
  await mendTimes(world.db, now(), { thorough: false })
  expect(await isPolled(id)).toBe(false)
  await mend()
  expect(await world.importRow(id)).toMatchObject({ nextPollAt: now() })
  expect(await isPolled(over.id)).toBe(false)
})
