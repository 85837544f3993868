import { eq, inArray } from 'drizzle-orm'
import { describe, expect, test } from 'vitest'
import { mendTimes } from '../../src/app/mend-times.ts'
import { after } from '../../src/base/clock.ts'
import { newId } from '../../src/base/ids.ts'
import { reserveRequest } from '../../src/connections/reserve.ts'
import { connectionsToServe } from '../../src/connections/rooms.ts'
import { connections, deliveries, events, leases, polling, webhookEndpoints } from '../../src/db/schema/index.ts'
import { oldestDue } from '../../src/polling/work.ts'
import { politeDefaults } from '../../src/providers/polite-defaults.ts'
import { leaseMs } from '../../src/work/leases.ts'
import { useImportWorld } from '../imports/world.ts'

const world = useImportWorld()
const dayMs = 86_400_000
const now = () => world.clock.now()
const ahead = (ms = 2 * dayMs) => after(now(), ms)
const mend = () => mendTimes(world.db, now(), { thorough: true })
const toServe = () => connectionsToServe(world.db, { kind: 'poll', oldestDue: oldestDue(now()), limit: 1_000 }, now())
const leaseUntil = async (id: string) =>
  (await world.db.select().from(leases).where(eq(leases.id, id)))[0]?.until ?? null
const connectionRow = async (id: string) =>
  (await world.db.select().from(connections).where(eq(connections.id, id)))[0] as typeof connections.$inferSelect

describe('after a clock that was ahead', () => {
  test.each([
    ['blockedUntil', {}],
    ['nextRequestAt', { limits: { requestsPerSecond: 5 } }],
    ['nextProbeAt', { pausedAt: new Date('2026-03-01T11:00:00.000Z') }],
  ] as const)('a connection’s %s keeps nobody waiting', async (column, more) => {
    const { id: connectionId } = await world.connection({ [column]: ahead(), ...more })
    await world.tracked({ connectionId })
    expect(await toServe()).not.toContain(connectionId)
    await mend()
    expect(await toServe()).toContain(connectionId)
  })

  test('what was to be polled or collected then is due, and leases until then are over', async () => {
    const late = [
      await world.tracked({ nextPollAt: ahead() }),
      await world.tracked({ nextPollAt: ahead(2 * 3_600_000) }),
      await world.tracked({
        nextPollAt: ahead(2 * 3_600_000),
        lastPolledAt: ahead(2 * 3_600_000),
        lastError: { code: 'timeout', message: '', at: '' },
      }),
    ]
    const collected = await world.tracked({ state: 'partial', nextCollectAt: ahead() })
    const lease = await world.served('poll', newId())
    await world.db.update(leases).set({ until: ahead() }).where(eq(leases.id, lease))
    await mend()
    for (const { id } of late) {
      expect(await world.row(id)).toMatchObject({ nextPollAt: now() })
    }
    expect(await leaseUntil(lease)).toBeNull()
    expect((await world.row(collected.id)).nextCollectAt).toEqual(now())
  })

  test('a deadline is no later than from now', async () => {
    const { id, deadlineMs } = await world.tracked({ deadlineAt: ahead() })
    await mend()
    expect((await world.row(id)).deadlineAt).toEqual(after(now(), deadlineMs))
  })

  test('endpoints and deliveries are due by their schedule', async () => {
    const endpointId = await world.endpoint('any', {
      blockedUntil: ahead(),
      nextProbeAt: ahead(),
      failingSince: ahead(),
      updatedAt: ahead(),
    })
    const eventId = newId()
    await world.db.insert(events).values({ id: eventId, type: 'import.lost', occurredAt: now(), body: '{}' })
    await world.db
      .insert(deliveries)
      .values({ eventId, endpointId, state: 'pending', attempts: 1, nextAttemptAt: ahead(), createdAt: now() })
    await mend()
    const [endpoint] = await world.db.select().from(webhookEndpoints).where(eq(webhookEndpoints.id, endpointId))
    expect(endpoint).toMatchObject({ blockedUntil: null, nextProbeAt: now(), failingSince: now(), updatedAt: now() })
    const [delivery] = await world.db.select().from(deliveries).where(eq(deliveries.endpointId, endpointId))
    expect(delivery?.nextAttemptAt).toEqual(now())
  })

  test('a month that is still to come has used up of this one what was counted for it', async () => {
    const limits = { requestsPerMonth: 10 }
    const { id: connectionId } = await world.connection({ limits, budgetMonth: '2026-04', monthRequests: 10 })
    await world.tracked({ connectionId })
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
  const before = await connectionRow(connectionId)
  const polled = await world.tracked({ connectionId, nextPollAt: ahead(60_000) })
  const failed = await world.tracked({
    connectionId,
    nextPollAt: ahead(24 * hour),
    lastPolledAt: now(),
    lastError: { code: 'unavailable', message: '', at: '' },
  })
  const lease = await world.served('poll', connectionId)
  await mend()
  expect(await connectionRow(connectionId)).toEqual(before)
  expect(await leaseUntil(lease)).toEqual(ahead(leaseMs))
  for (const row of [polled, failed]) expect(await world.row(row.id)).toEqual(row)
})

test('a request that can’t be soon is not reserved', async () => {
  const own = { requestsPerSecond: 5, requestsPerMonth: 1, maxInFlight: 10 }
  const limits = { ...politeDefaults, ...own }
  const { id } = await world.connection({ limits: own, budgetMonth: '2026-03', monthRequests: 1 })
  expect(await reserveRequest(world.db, { id, limits }, now())).toEqual(new Date('2026-04-01T00:00:00.000Z'))
  expect(await connectionRow(id)).toMatchObject({ budgetMonth: '2026-03', monthRequests: 1, nextRequestAt: null })
})

test('a live import whose row in polling somebody has deleted is polled again, and no other', async () => {
  const { id } = await world.tracked({ state: 'running' })
  const over = await world.tracked({ state: 'succeeded', finishedAt: now() })
  const isPolled = async (importId: string) =>
    (await world.db.select().from(polling).where(eq(polling.importId, importId))).length === 1
  await world.db.delete(polling).where(inArray(polling.importId, [id, over.id]))
  await mendTimes(world.db, now(), { thorough: false })
  expect(await isPolled(id)).toBe(false)
  await mend()
  expect(await world.row(id)).toMatchObject({ nextPollAt: now() })
  expect(await isPolled(over.id)).toBe(false)
})
