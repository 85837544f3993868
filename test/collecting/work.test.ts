import { eq } from 'drizzle-orm'
import { pino } from 'pino'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { giveUpOverdue } from '../../src/collecting/give-up.ts'
import { collectWork } from '../../src/collecting/work.ts'
import type { ConnectionAccess } from '../../src/connections/access.ts'
import { connections, leases } from '../../src/db/schema/index.ts'
import { effectiveLimits } from '../../src/model/limits.ts'
import { cdq } from '../../src/providers/cdq.ts'
import type { Provider } from '../../src/providers/contract.ts'
import { createDocumentProvider } from '../../src/providers/document/provider.ts'
import { documentSchema } from '../../src/providers/document/read-document.ts'
import { fullstory } from '../../src/providers/fullstory.ts'
import { takeLeases } from '../../src/work/leases.ts'
import { createServer } from '../../src/work/serve.ts'
import { sendJson, startClient, startVendor, type Vendor } from '../providers/vendor.ts'
import { useWorld } from '../support/worlds/world.ts'

const world = useWorld()
let vendor: Vendor
let asker: ReturnType<typeof startClient>
let pages = 0

beforeAll(async () => {
  vendor = await startVendor()
  asker = startClient()
})
afterAll(async () => {
  await Promise.all([vendor.close(), asker.close()])
})
beforeEach(() => {
  pages = 0
})

/** The kind of work as the workers have it, but for what opens credentials. */
function kindOf(connectionId: string, provider: Provider = cdq as Provider) {
  const access = {
    id: connectionId,
    name: 'vendor',
    provider,
    baseUrl: vendor.baseUrl,
    credentials: { apiKey: 'key' },
    settings: {},
    limits: effectiveLimits(provider, {}),
    pausedAt: null,
    refusedSince: null,
    updatedAt: world.clock.now(),
  } as unknown as ConnectionAccess
  const accesses = new Map([[connectionId, access]])
  return collectWork({
    ...deps(),
    client: asker.client,
    accesses: { load: async () => accesses, open: async () => accesses },
  })
}

function deps() {
  const wake = Object.assign(() => {}, { listen() {} })
  return { db: world.db, clock: world.clock, log: pino({ level: 'silent' }), wake }
}

/** Serves the connection as a worker does, until nothing is due of it. */
async function collect(connectionId: string, provider?: Provider): Promise<void> {
  const kind = kindOf(connectionId, provider)
  expect(await kind.due(world.db, world.clock.now(), 100)).toContain(connectionId)
  const [lease] = await takeLeases(world.db, 'collect', [connectionId], world.clock.now())
  await createServer(kind, deps()).serve(lease?.id ?? '', new AbortController().signal)
  expect(await world.db.select().from(leases).where(eq(leases.ownerId, connectionId))).toEqual([])
}

async function dueImport(columns = {}): Promise<{ connectionId: string; id: string }> {
  const { id: connectionId } = await world.connection()
  const due = { nextCollectAt: world.clock.now(), finishedAt: world.clock.now(), detailsState: 'pending' }
  const { id } = await world.import({ connectionId, state: 'partial', ...due, ...columns })
  return { connectionId, id }
}

const page = (skipped: { line: number; column: number }[]) => ({
  status: 'FINISHED',
  result: { statistics: { skipped, skippedNextStartAfter: `cursor-${pages++}` } },
})

test('a list whose pages stay empty for ever is given up', async () => {
  vendor.answer((_request, response) => sendJson(response, page([])))
  const { connectionId, id } = await dueImport()
  await collect(connectionId)
  expect(pages).toBe(100)
  expect(await world.importRow(id)).toMatchObject({ detailsState: 'incomplete', nextCollectAt: null })
})

test('a list that gives the same page for every number is given up', async () => {
  vendor.answer((_request, response) => sendJson(response, page([{ line: 7, column: 1 }])))
  const { connectionId, id } = await dueImport()
  await collect(connectionId)
  expect(await world.importRow(id)).toMatchObject({
    detailsState: 'incomplete',
    detailsError: {
      code: 'invalid_response',
      message: 'The provider’s list has no end: page after page has the same rows.',
    },
    skippedLines: 4,
  })
})

test('one of several lists that goes in a circle ends, and the one behind it is read', async () => {
  const next: Record<string, string | null> = {
    ...{ '/job/a': 'x', '/job/a?after=x': 'y', '/job/a?after=y': 'x' },
    '/job/b': null,
  }
  vendor.answer(({ url = '' }, response) =>
    sendJson(response, { rows: [{ id: url }], next: next[url.replace(/^\/[^/]+/, '/job')] }),
  )
  const list = (path: string) => ({
    ...{ kind: 'pages', request: { path }, page: { kind: 'cursor', next: '/next', param: 'after' } },
    ...{ rows: '/rows', row: { recordId: '/id' } },
  })
  const document = documentSchema.parse({
    ...{ format: 1, name: 'several', title: 'Several', baseUrl: null, credentials: { apiKey: {} } },
    auth: { kind: 'bearer', token: '{credentials.apiKey}' },
    status: { request: { path: '/jobs/{job}' }, state: { from: '/state', map: { done: 'succeeded' } } },
    details: [list('/{job}/a'), list('/{job}/b')],
  })
  const { connectionId, id } = await dueImport()
  await collect(connectionId, createDocumentProvider(document) as Provider)
  expect(await world.importRow(id)).toMatchObject({ detailsState: 'complete', rowResults: 4 })
})

test('a list that goes on for a week is given up with what there is', async () => {
  vendor.answer((_request, response) => sendJson(response, page([{ line: pages, column: 1 }])))
  const { connectionId, id } = await dueImport({ finishedAt: new Date(world.clock.now().getTime() - 8 * 86_400_000) })
  await collect(connectionId)
  expect(await world.importRow(id)).toMatchObject({ detailsState: 'incomplete', skippedLines: 1 })
})

test('a 404 counts when three in a row say so, whatever went wrong before', async () => {
  const { connectionId, id } = await dueImport()
  const states: string[] = []
  for (const status of [500, 500, 404, 404, 404]) {
    vendor.answer((_request, response) => sendJson(response, {}, status))
    await collect(connectionId)
    const row = await world.importRow(id)
    states.push(row.detailsState)
    if (row.nextCollectAt) world.clock.set(row.nextCollectAt)
  }
  expect(states).toEqual(['pending', 'pending', 'pending', 'pending', 'incomplete'])
})

test('a page is asked for while the one before it is stored', async () => {
  const { connectionId, id } = await dueImport()
  const client = await world.database.pool.connect()
  onTestFinished(() => client.release())
  const beforePage = [
    () => client.query('BEGIN; SELECT FROM imports FOR UPDATE'), // nothing can be stored now
    () => client.query('COMMIT'),
  ]
  vendor.answer(async (_request, response) => {
    const answer = page([{ line: pages, column: 1 }])
    await beforePage.shift()?.()
    sendJson(
      response,
      beforePage.length > 0 ? answer : { result: { statistics: { skipped: [{ line: 7, column: 1 }] } } },
    )
  })
  await collect(connectionId)
  expect(await world.importRow(id)).toMatchObject({ detailsState: 'complete', skippedLines: 2 })
})

test('a walk whose lease is over asks for nothing more, and a page that comes meanwhile is left to the next walk', async () => {
  const { connectionId, id } = await dueImport()
  const kind = kindOf(connectionId)
  const leaseId = await world.served('collect', connectionId)
  const now = world.clock.now()
  const owners = [{ id: connectionId, underWay: new Map(), isQuick: false }]
  const { items } = await world.db.transaction((tx) => kind.begin(tx, owners, 1, now))
  let isHeld = true
  vendor.answer(async (_request, response) => {
    const answer = page([{ line: pages, column: 1 }])
    if (pages === 2) {
      // It is asked for while the one before it is stored.
      await vi.waitFor(async () => expect(await world.importRow(id)).toMatchObject({ skippedLines: 1 }))
      await world.db.delete(leases).where(eq(leases.id, leaseId))
      isHeld = false
    }
    sendJson(response, answer)
  })
  const { signal } = new AbortController()
  for (const item of items) await kind.act(item, { leaseId, signal, isHeld: () => isHeld })
  expect(items).toHaveLength(1)
  expect(pages).toBe(2)
  expect(await world.importRow(id)).toMatchObject({ detailsState: 'collecting', skippedLines: 1, nextCollectAt: now })
  expect(await kind.act(items[0] as (typeof items)[0], { leaseId, signal, isHeld: () => false })).toBe('aborted')
})

const hourMs = 3_600_000

/** A FullStory import with failed items: `answers` says what comes for each page token, the first one first and the last one for good. */
async function failedItems(announced: number | null, answers: Record<string, readonly Answered[]>) {
  const asked: string[] = []
  const left = new Map(Object.entries(answers).map(([token, all]) => [token, [...all]]))
  vendor.answer((request, response) => {
    const token = new URL(request.url ?? '', 'http://vendor').searchParams.get('page_token') ?? ''
    asked.push(token)
    const all = left.get(token) ?? []
    const [status, body] = (all.length > 1 ? all.shift() : all[0]) ?? [404, {}]
    sendJson(response, body, status)
  })
  const { connectionId, id } = await dueImport({ rowsAnnounced: announced })
  return {
    id,
    connectionId,
    asked,
    /** Walks again and again, each time when it is due, until it is over or has been asked for so often. */
    async collect(turns: number) {
      for (let turn = 0; turn < turns; turn++) {
        const { nextCollectAt } = await world.importRow(id)
        if (nextCollectAt === null) return
        if (nextCollectAt > world.clock.now()) world.clock.set(nextCollectAt)
        await collect(connectionId, fullstory as Provider)
      }
    },
    recordIds: async () => (await world.rowResultsOf(id)).map(({ recordId }) => recordId),
  }
}

type Answered = [status: number, body: object]

const items = (uids: string[], more: object = {}): Answered => [
  200,
  { results: uids.map((uid) => ({ message: 'bad', user: { uid } })), ...more },
]

describe('a list that can’t go on', () => {
  test.each<[string, Answered]>([
    ['a page of another form', [200, { error: 'upstream timeout' }]],
    ['an empty page', items([], { total_records: '3' })],
    ['a page with fewer rows than were announced', items(['x'], { total_records: '3' })],
    ['a 403', [403, { message: 'forbidden' }]],
    ['a 500', [500, {}]],
  ])('is asked for again: %s', async (_what, wrong) => {
    const list = await failedItems(4, {
      '': [items(['u0', 'u1'], { total_records: '3', next_page_token: 't1' })],
      t1: [wrong, items(['u2', 'u3'], { total_records: '3' })],
    })
    await list.collect(1)
    const stuck = await world.importRow(list.id)
    expect(stuck).toMatchObject({
      detailsState: 'collecting',
      detailsError: { code: expect.stringMatching(/^[a-z_]+$/) },
    })
    await list.collect(1)
    expect(await list.recordIds()).toEqual(['u0', 'u1', 'u2', 'u3'])
    expect(list.asked).toEqual(['', 't1', 't1'])
    expect(await world.importRow(list.id)).toMatchObject({
      detailsState: 'complete',
      rowResults: 4,
      detailsError: null,
    })
    expect(await world.eventTypesOf(list.id)).toEqual(['import.rows_collected'])
  })

  test('is begun anew where its cursor is refused, and replaces what is stored', async () => {
    const list = await failedItems(3, {
      '': [items(['u0', 'u1'], { next_page_token: 'old' }), items(['u0', 'u1'], { next_page_token: 'fresh' })],
      old: [
        [503, {}],
        [400, { code: 'invalid_page_token' }],
      ],
      fresh: [items(['u2'])],
    })
    await list.collect(4)
    expect(await list.recordIds()).toEqual(['u0', 'u1'])
    expect(await world.importRow(list.id)).toMatchObject({
      detailsState: 'collecting',
      detailsError: { code: 'bad_request' },
    })
    await list.collect(1)
    expect(list.asked).toEqual(['', 'old', 'old', 'old', 'old', '', 'fresh'])
    expect(await list.recordIds()).toEqual(['u0', 'u1', 'u2'])
    expect((await world.rowResultsOf(list.id)).map(({ row }) => row)).toEqual([0, 1, 2])
    expect(await world.importRow(list.id)).toMatchObject({
      detailsState: 'complete',
      rowResults: 3,
      detailsError: null,
    })
  })

  test.each([404, 410])(
    'is begun anew where its cursor is gone by a %d, and given up where its beginning is, too',
    async (status) => {
      const gone: Answered = [status, {}]
      const list = await failedItems(3, {
        '': [items(['u0', 'u1'], { next_page_token: 'old' }), items(['u0', 'u1'], { next_page_token: 'fresh' })],
        old: [gone],
        fresh: [items(['u2'])],
      })
      await list.collect(4)
      expect(list.asked).toEqual(['', 'old', 'old', 'old', '', 'fresh'])
      expect(await list.recordIds()).toEqual(['u0', 'u1', 'u2'])
      expect(await world.importRow(list.id)).toMatchObject({ detailsState: 'complete', detailsError: null })

      const whole = await failedItems(3, { '': [items(['u0', 'u1'], { next_page_token: 'old' }), gone], old: [gone] })
      await whole.collect(10)
      expect(whole.asked).toEqual(['', 'old', 'old', 'old', '', '', ''])
      expect(await whole.recordIds()).toEqual(['u0', 'u1'])
      expect(await world.importRow(whole.id)).toMatchObject({
        detailsState: 'incomplete',
        detailsError: { code: 'not_found' },
      })
    },
  )

  test('that began with the status is begun anew as well', async () => {
    const { connectionId, id } = await dueImport()
    const store = (await import('../../src/imports/pages.ts')).storePage
    const first = {
      skippedLines: [
        { line: 1, column: 1 },
        { line: 2, column: 1 },
      ],
      rowResults: [],
      next: 'old',
    }
    await world.db.transaction((tx) =>
      store(tx, { importId: id, page: 0, cursor: null, details: first }, world.clock.now()),
    )
    const statistics = {
      '': {
        skipped: [
          { line: 1, column: 1 },
          { line: 2, column: 1 },
        ],
        skippedNextStartAfter: 'new',
      },
      new: { skipped: [{ line: 3, column: 1 }] },
    }
    vendor.answer((request, response) => {
      const cursor = new URL(request.url ?? '', 'http://vendor').searchParams.get('skippedStartAfter') ?? ''
      if (cursor === 'old') return sendJson(response, {}, 400)
      sendJson(response, { status: 'FINISHED', result: { statistics: statistics[cursor as ''] } })
    })
    for (let turn = 0; turn < 4; turn++) {
      const { nextCollectAt } = await world.importRow(id)
      if (nextCollectAt) world.clock.set(nextCollectAt)
      await collect(connectionId)
    }
    expect((await world.skippedLinesOf(id)).map(({ line }) => line)).toEqual([1, 2, 3])
    expect(await world.importRow(id)).toMatchObject({ detailsState: 'complete', skippedLines: 3, rowsSkipped: 3 })
  })

  test.each<[string, Answered, string]>([
    ['a page of another form', [200, '<html>' as unknown as object], 'invalid_response'],
    ['a refused cursor', [400, { code: 'invalid_page_token' }], 'bad_request'],
    ['fewer rows than announced', items(['u2']), 'rows_missing'],
    ['a 403', [403, {}], 'forbidden'],
  ])(
    'for good is begun anew once, asked for ever more seldom, and given up within hours: %s',
    async (_what, wrong, code) => {
      const list = await failedItems(4, { '': [items(['u0', 'u1'], { next_page_token: 't1' })], t1: [wrong] })
      const { finishedAt } = await world.importRow(list.id)
      for (let hours = 0; hours < 2; ) {
        await list.collect(1)
        expect(await giveUpOverdue(world)).toBe(0)
        const { nextCollectAt } = await world.importRow(list.id)
        hours = ((nextCollectAt?.getTime() ?? 0) - (finishedAt?.getTime() ?? 0)) / hourMs
      }
      expect(list.asked.filter((token) => token === '')).toHaveLength(2)
      expect(list.asked.length).toBeLessThan(30)
      world.clock.set(new Date((finishedAt?.getTime() ?? 0) + 2 * hourMs + 1))
      expect(await giveUpOverdue(world)).toBe(1)
      expect(await world.importRow(list.id)).toMatchObject({
        detailsState: 'incomplete',
        rowResults: code === 'rows_missing' ? 3 : 2,
        nextCollectAt: null,
        detailsError: { code },
      })
      expect(await world.eventTypesOf(list.id)).toEqual(['import.rows_incomplete'])
      expect(await world.connectionRow(list.connectionId)).toMatchObject({ pausedAt: null, refusedSince: null })
    },
  )

  test('is neither begun anew nor given up soon where the provider is in trouble', async () => {
    const list = await failedItems(3, { '': [items(['u0'], { next_page_token: 't1' })], t1: [[500, {}]] })
    await list.collect(20)
    expect(await giveUpOverdue(world)).toBe(0)
    expect(list.asked.filter((token) => token === '')).toHaveLength(1)
    world.clock.advance(7 * 24 * hourMs)
    expect(await giveUpOverdue(world)).toBe(1)
    expect(await world.importRow(list.id)).toMatchObject({
      detailsState: 'incomplete',
      detailsError: { code: 'server_error' },
    })
  })
})

test('a list of a paused connection that nobody walks is given up after a week, and the reason is told', async () => {
  const { connectionId, id } = await dueImport()
  world.clock.advance(7 * 24 * hourMs + 1)
  expect(await giveUpOverdue(world)).toBe(0) // nobody has asked for it yet
  await world.db.update(connections).set({ pausedAt: world.clock.now() }).where(eq(connections.id, connectionId))
  expect(await giveUpOverdue(world)).toBe(1)
  expect(await giveUpOverdue(world)).toBe(0)
  expect(await world.importRow(id)).toMatchObject({ detailsState: 'incomplete', detailsError: { code: 'deadline' } })
  expect(await world.eventTypesOf(id)).toEqual(['import.rows_incomplete'])
})
