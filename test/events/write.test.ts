import { eq } from 'drizzle-orm'
import { describe, expect, it } from 'vitest'
import { isId, newId } from '../../src/base/ids.ts'
import { events } from '../../src/db/schema/index.ts'
import { listImportEvents } from '../../src/events/feed.ts'
import { type NewEvent, writeEvent, writeEvents } from '../../src/events/write.ts'
import { patchEndpoint } from '../../src/webhooks/endpoints/patch.ts'
import { removeEndpoint } from '../../src/webhooks/endpoints/remove.ts'
import { only } from '../support/only.ts'
import { useDelivering } from '../support/worlds/delivering.ts'
import { ofImport, someEvent } from '../support/worlds/events.ts'

const world = useDelivering()
const url = 'http://127.0.0.1:9/'

describe('the sequence of an event', () => {
  it('counts the events of its import, from 1, in the column and in the body', async () => {
    const [one, other] = [ofImport(await world.import()), ofImport(await world.import())]
    const ofNone = { importId: null, connectionId: one.connectionId }
    await world.event(one)
    await writeAll([one, other, ofNone, one])
    await world.event(other)
    const numbers = [one, other].map(async ({ importId }) => sequencesOf(importId))
    expect(await Promise.all(numbers)).toEqual([
      [1, 2, 3],
      [1, 2],
    ])
    const ofConnection = await world.db.select().from(events).where(eq(events.connectionId, one.connectionId))
    const unnumbered = ofConnection.find(({ importId }) => importId === null)
    expect(unnumbered?.sequence).toBeNull()
    expect(JSON.parse(unnumbered?.body ?? '')).toMatchObject({ sequence: null })
  })

  it('has no gap where a transaction is rolled back, and none twice where many write at once', async () => {
    const import_ = ofImport(await world.import())
    const event = () => ({ ...someEvent(world.clock), ...import_ })
    const attempts = Array.from({ length: 12 }, async (_, index) =>
      world.db
        .transaction(async (tx) => {
          await writeEvents(tx, [event(), event()])
          if (index % 3 === 0) throw new Error('rolled back')
        })
        .catch(() => undefined),
    )
    await Promise.all(attempts)
    expect(await sequencesOf(import_.importId)).toEqual(Array.from({ length: 16 }, (_, index) => index + 1))
  })

  it('is taken for an event that an older version writes, which knows of none', async () => {
    const { id: importId, connectionId } = await world.import()
    const event = { ...someEvent(world.clock), importId, connectionId }
    const older = () => ({
      id: newId(),
      type: event.type,
      importId,
      connectionId,
      occurredAt: event.occurredAt,
      body: '{}',
    })
    await world.db.insert(events).values([older(), older()])
    await writeAll([event])
    await world.db.insert(events).values([older(), { ...older(), importId: null }])
    const { data } = await listImportEvents(world.deps, importId, { limit: 100 })
    expect(data.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4])
  })

  async function writeAll(some: readonly Partial<NewEvent>[]): Promise<void> {
    await world.db.transaction((tx) =>
      writeEvents(
        tx,
        some.map((event) => ({ ...someEvent(world.clock), ...event })),
      ),
    )
  }

  /** In order; each as its column and its body say. */
  async function sequencesOf(importId: string): Promise<(number | null)[]> {
    const { data } = await listImportEvents(world.deps, importId, { limit: 100 })
    const rows = await world.eventsOf(importId)
    const inBodies = new Map(rows.map(({ id, body }) => [id, JSON.parse(body).sequence]))
    for (const { id, sequence } of data) expect(inBodies.get(id)).toBe(sequence)
    return data.map(({ sequence }) => sequence)
  }
})

describe('writing an event', () => {
  it('makes a due delivery for each endpoint that asked for it', async () => {
    const { id: connectionId } = await world.connection({ name: 'crm' })
    await world.connection({ name: 'erp' })
    const all = await world.endpoint({ url })
    const crm = await world.endpoint({ url, connections: ['crm'] })
    const erp = await world.endpoint({ url, connections: ['erp'] })
    const lost = await world.endpoint({ url, types: ['import.lost'] })

    const eventId = await world.event({ connectionId, connectionName: 'crm' })

    for (const endpoint of [all, crm])
      expect(only(await world.deliveriesOf(endpoint.id))).toMatchObject({
        eventId,
        state: 'pending',
        attempts: 0,
        nextAttemptAt: world.clock.now(),
      })
    for (const endpoint of [erp, lost]) expect(await world.deliveriesOf(endpoint.id)).toEqual([])
  })

  it('reaches endpoints of its provider, and whose metadata it has', async () => {
    const provider = 'cdq'
    const metadata = { team: 'data', run: 42, nightly: true, tags: ['team'], nested: { team: 'data' } }
    const wanted = [
      { providers: ['cdq', 'micro'] },
      { metadata: { team: 'data' } },
      { metadata: { run: 42, nightly: true } },
      { providers: ['cdq'], metadata: { team: 'data' } },
    ] as const
    const unwanted = [
      { providers: ['micro'] },
      { metadata: { team: 'other' } },
      { metadata: { team: 'data', other: 1 } },
      { metadata: { run: '42' } },
      { metadata: { tags: 'team' } },
      { providers: ['micro'], metadata: { team: 'data' } },
    ] as const
    const endpoints = async (filters: readonly object[]) =>
      Promise.all(filters.map(async (filter) => (await world.endpoint({ ...filter, url })).id))
    const told = await endpoints(wanted)
    const spared = await endpoints(unwanted)
    await world.event({ provider, metadata })
    for (const id of told) expect(await world.eventTypesTo(id)).toEqual(['import.succeeded'])
    for (const id of spared) expect(await world.eventTypesTo(id)).toEqual([])
    await world.event({ metadata: null })
    for (const id of told) expect(await world.eventTypesTo(id)).toHaveLength(1)
  })

  it('reaches no endpoint of chosen connections when it is of none', async () => {
    await world.connection({ name: 'of-somebody' })
    const endpoint = await world.endpoint({ url, connections: ['of-somebody'], types: ['connection.paused'] })
    await world.event({ type: 'connection.paused', connectionName: null })
    expect(await world.deliveriesOf(endpoint.id)).toEqual([])
  })

  it('is skipped for a disabled endpoint, and not written for a deleted one', async () => {
    const disabled = await world.endpoint({ url })
    const deleted = await world.endpoint({ url })
    await patchEndpoint(world.deps, disabled.id, { enabled: false })
    await removeEndpoint(world.deps, deleted.id)
    await world.event()
    expect(only(await world.deliveriesOf(disabled.id))).toMatchObject({ state: 'skipped', nextAttemptAt: null })
    expect(await world.deliveriesOf(deleted.id)).toEqual([])
  })

  it('is undone with its transaction', async () => {
    const endpoint = await world.endpoint({ url })
    const rollback = new Error('the transition failed')
    let eventId = ''
    const transaction = world.db.transaction(async (tx) => {
      eventId = await writeEvent(tx, someEvent(world.clock))
      throw rollback
    })
    await expect(transaction).rejects.toBe(rollback)
    expect(await world.db.select().from(events).where(eq(events.id, eventId))).toEqual([])
    expect(await world.deliveriesOf(endpoint.id)).toEqual([])
  })

  it('is seen by nobody before its transaction ends', async () => {
    const endpoint = await world.endpoint({ url })
    await world.db.transaction(async (tx) => {
      await writeEvent(tx, someEvent(world.clock))
      expect(await world.deliveriesOf(endpoint.id)).toEqual([])
    })
    expect(await world.deliveriesOf(endpoint.id)).toHaveLength(1)
  })

  it('writes many at once, with ids in their order', async () => {
    const endpoint = await world.endpoint({ url })
    const many = Array.from({ length: 50 }, () => someEvent(world.clock))
    const ids = await world.db.transaction((tx) => writeEvents(tx, many))
    expect([...ids].sort()).toEqual(ids)
    const written = await world.deliveriesOf(endpoint.id)
    expect(written.map((delivery) => delivery.eventId).sort()).toEqual(ids)
    expect(await world.db.transaction((tx) => writeEvents(tx, []))).toEqual([])
  })

  it('gives deliveries ids that sort by time', async () => {
    const endpoint = await world.endpoint({ url })
    const first = await world.event()
    world.clock.advance(5)
    const second = await world.event()
    const written = await world.deliveriesOf(endpoint.id)
    expect(written.map((delivery) => delivery.eventId)).toEqual([first, second])
    for (const { id } of written) {
      expect(isId(id)).toBe(true)
      expect(id[14]).toBe('7')
    }
    expect(Number.parseInt(written[1]?.id.replace('-', '').slice(0, 12) ?? '', 16)).toBe(world.clock.now().getTime())
  })

  it('leaves nothing pending behind an endpoint that is disabled meanwhile', async () => {
    const endpoint = await world.endpoint({ url })
    let disabled: Promise<unknown> = Promise.resolve()
    await world.db.transaction(async (tx) => {
      await writeEvent(tx, someEvent(world.clock))
      disabled = patchEndpoint(world.deps, endpoint.id, { enabled: false })
      await untilSomebodyWaits()
    })
    await disabled
    expect(only(await world.deliveriesOf(endpoint.id)).state).toBe('skipped')
  })

  it('sees an endpoint as disabled whose disabling it had to wait for', async () => {
    const endpoint = await world.endpoint({ url })
    let written: Promise<unknown> = Promise.resolve()
    await world.db.transaction(async (tx) => {
      await tx.execute(`SELECT 1 FROM webhook_endpoints WHERE id = '${endpoint.id}' FOR UPDATE`)
      written = world.event()
      await untilSomebodyWaits()
      await tx.execute(`UPDATE webhook_endpoints SET disabled_at = now() WHERE id = '${endpoint.id}'`)
    })
    await written
    expect(only(await world.deliveriesOf(endpoint.id)).state).toBe('skipped')
    expect(await world.deliveriesOf(endpoint.id)).toHaveLength(1)
  })
})

/** Until another connection of this database waits for a lock. */
async function untilSomebodyWaits(): Promise<void> {
  const waiting = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
  while ((await world.database.pool.query(waiting)).rowCount === 0);
}
