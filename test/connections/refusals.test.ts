import { eq } from 'drizzle-orm'
import { describe, expect, test } from 'vitest'
import { resumeConnection } from '../../src/connections/pause.ts'
import { reactForConnection } from '../../src/connections/react.ts'
import { forgetRefusedImports } from '../../src/connections/refusals.ts'
import { connections, events, imports } from '../../src/db/schema/index.ts'
import { ProviderError, type ProviderErrorKind } from '../../src/providers/error.ts'
import { useWorld } from '../support/worlds/world.ts'

const world = useWorld()

/** A connection with so many live imports, and what calls about them bring. */
async function account(live: number) {
  const { id } = await world.connection()
  const ids: string[] = []
  for (let number = 0; number < live; number++) ids.push((await world.import({ connectionId: id })).id)
  const row = () => world.connectionRow(id)
  const react = async (
    number: number,
    error: ProviderError | null,
    what: 'status' | 'summary' | 'details' = 'status',
  ) => {
    world.clock.advance(1_000)
    const access = await row()
    const limits = { maxIntervalMs: 120_000 }
    const call = { importId: ids[number] ?? '', what, error }
    await world.db.transaction((tx) => reactForConnection(tx, { ...access, limits } as never, call, world.clock.now()))
    if (error === null) await world.db.update(imports).set({ refusedSince: null }).where(eq(imports.id, call.importId))
    return row()
  }
  const failed = (kind: ProviderErrorKind, status: number, retryAfterMs: number | null = null) =>
    new ProviderError(kind, 'No.', { status, retryAfterMs })
  return {
    id,
    row,
    answered: (number: number) => react(number, null),
    forbidden: (number: number, what?: 'summary' | 'details') => react(number, failed('forbidden', 403), what),
    unauthorized: (number: number, what?: 'summary' | 'details') => react(number, failed('unauthorized', 401), what),
    waits: (number: number, status: number, retryAfterMs: number | null, what?: 'summary' | 'details') =>
      react(number, failed(status === 503 ? 'server_error' : 'rate_limited', status, retryAfterMs), what),
    notFound: (number: number) => react(number, failed('not_found', 404)),
    told: async () =>
      (await world.db.select().from(events).where(eq(events.connectionId, id)).orderBy(events.id)).map(
        ({ type }) => type,
      ),
  }
}

describe('a 403', () => {
  test('of one import is its own affair, however often it comes', async () => {
    const { forbidden, answered, told } = await account(3)
    for (let times = 0; times < 5; times++) {
      expect(await forbidden(0)).toMatchObject({ pausedAt: null })
      if (times % 2 === 0) await answered(1)
    }
    expect(await told()).toEqual([])
  })

  test('of two imports pauses the connection, where nothing was answered since the first one', async () => {
    const { forbidden, told } = await account(3)
    await forbidden(0)
    await forbidden(0)
    expect(await forbidden(1)).toMatchObject({ pauseReason: 'forbidden', pausedAt: world.clock.now() })
    expect(await told()).toEqual(['connection.paused'])
  })

  test('of two imports pauses nothing where another one is answered in between', async () => {
    const { forbidden, answered, told } = await account(4)
    for (let times = 0; times < 5; times++) {
      await forbidden(0)
      await answered(2)
      await forbidden(1)
      await answered(3)
    }
    expect(await told()).toEqual([])
    await forbidden(2) // one that wasn't refused before
    expect(await forbidden(3)).toMatchObject({ pauseReason: 'forbidden' })
  })

  test('of imports that are over counts for nothing', async () => {
    const { forbidden } = await account(2)
    await forbidden(0)
    await world.db.update(imports).set({ state: 'succeeded', finishedAt: world.clock.now() })
    expect(await forbidden(1)).toMatchObject({ pausedAt: null })
  })

  test('of rows or of a summary is theirs alone', async () => {
    const { forbidden, told, row } = await account(2)
    for (const what of ['details', 'summary'] as const) for (const number of [0, 1]) await forbidden(number, what)
    expect(await row()).toMatchObject({ pausedAt: null, refusedSince: null })
    expect(await told()).toEqual([])
  })

  test('goes on after a good probe without pausing again', async () => {
    const { forbidden, answered, told } = await account(3)
    await forbidden(0)
    await forbidden(1)
    expect(await answered(2)).toMatchObject({ pausedAt: null, pauseReason: null, nextProbeAt: null })
    for (let times = 0; times < 5; times++) {
      await forbidden(0)
      await forbidden(1)
    }
    expect(await told()).toEqual(['connection.paused', 'connection.resumed'])
  })
})

describe('a 401', () => {
  test('pauses the connection, and again only where no other import was answered since', async () => {
    const { unauthorized, answered, told } = await account(2)
    expect(await unauthorized(0)).toMatchObject({ pauseReason: 'unauthorized' })
    await answered(1)
    for (let times = 0; times < 5; times++) expect(await unauthorized(0)).toMatchObject({ pausedAt: null })
    expect(await told()).toEqual(['connection.paused', 'connection.resumed'])
    expect(await unauthorized(1)).toMatchObject({ pauseReason: 'unauthorized' })
  })

  test('of rows pauses it as well; of a summary it doesn’t, since the status was answered', async () => {
    const { unauthorized } = await account(2)
    expect(await unauthorized(0, 'summary')).toMatchObject({ pausedAt: null })
    expect(await unauthorized(0, 'details')).toMatchObject({ pauseReason: 'unauthorized' })
  })

  test('counts afresh once somebody says that the connection works again', async () => {
    const { id, unauthorized, answered, told } = await account(2)
    await unauthorized(0)
    await answered(1)
    await unauthorized(0)
    await world.db.transaction((tx) => forgetRefusedImports(tx, id))
    expect(await unauthorized(0)).toMatchObject({ pauseReason: 'unauthorized' })
    await world.db.transaction((tx) =>
      resumeConnection(tx, { connectionId: id, now: world.clock.now(), by: 'somebody' }),
    )
    expect((await told()).length).toBe(4)
  })

  test('ends where a probe is told that there is no such job', async () => {
    const { unauthorized, notFound } = await account(2)
    await unauthorized(0)
    expect(await notFound(1)).toMatchObject({ pausedAt: null })
  })

  test('that comes to credentials that were replaced meanwhile changes nothing', async () => {
    const { id, row } = await account(1)
    const access = await row()
    world.clock.advance(1_000)
    await world.db.update(connections).set({ updatedAt: world.clock.now() }).where(eq(connections.id, id))
    const error = new ProviderError('unauthorized', 'No.', { status: 401 })
    const call = { importId: '', what: 'status' as const, error }
    await world.db.transaction((tx) => reactForConnection(tx, access as never, call, world.clock.now()))
    expect(await row()).toMatchObject({ pausedAt: null, refusedSince: null })
  })
})

describe('an announced wait', () => {
  test.each(['status', 'summary', 'details'] as const)('stops the whole connection: %s', async (what) => {
    const { waits } = await account(1)
    const of = what === 'status' ? undefined : what
    const inTime = (row: { blockedUntil: Date | null }) =>
      (row.blockedUntil?.getTime() ?? 0) - world.clock.now().getTime()
    expect(inTime(await waits(0, 503, 600_000, of))).toBe(600_000)
    expect(inTime(await waits(0, 503, 5_000, of))).toBe(599_000) // a later one stays
    expect(inTime(await waits(0, 429, 700_000, of))).toBe(700_000)
    expect(inTime(await waits(0, 403, 800_000, of))).toBe(800_000)
  })

  test('is none with a 503 that announces none; a 429 means a minute', async () => {
    const { waits } = await account(1)
    expect(await waits(0, 503, null)).toMatchObject({ blockedUntil: null })
    const { blockedUntil } = await waits(0, 429, null)
    expect(blockedUntil).toEqual(new Date(world.clock.now().getTime() + 60_000))
  })

  test('is followed by a time in which imports come back one by one', async () => {
    const { waits } = await account(1)
    const { blockedUntil, spreadFrom, spreadUntil } = await waits(0, 503, 600_000)
    expect(spreadFrom).toEqual(blockedUntil)
    expect((spreadUntil?.getTime() ?? 0) - (spreadFrom?.getTime() ?? 0)).toBe(60_000)
  })
})
