import { pino } from 'pino'
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest'
import { createCollectWorker } from '../../src/collecting/worker.ts'
import { effectiveLimits } from '../../src/connections/limits.ts'
import type { Target } from '../../src/connections/targets.ts'
import { claimCollections } from '../../src/dispatch/imports.ts'
import { cdq } from '../../src/providers/cdq.ts'
import { useImportWorld } from '../imports/world.ts'
import { sendJson, startClient, startVendor, type Vendor } from '../providers/vendor.ts'

const world = useImportWorld()
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

/** Claims the import's collection and walks it as the worker does. */
async function collect(connectionId: string, importId: string): Promise<void> {
  const target = {
    id: connectionId,
    name: 'vendor',
    provider: cdq,
    baseUrl: vendor.baseUrl,
    credentials: { apiKey: 'key' },
    settings: {},
    limits: effectiveLimits(cdq, {}),
    pausedAt: null,
    updatedAt: world.clock.now(),
  } as unknown as Target
  const work = createCollectWorker({
    db: world.db,
    clock: world.clock,
    log: pino({ level: 'silent' }),
    client: asker.client,
    targets: { load: async () => new Map([[connectionId, target]]) },
    nudge: { poll: () => {}, collect: () => {}, deliver: () => {} },
  })
  const { ids, leaseUntil } = await claimCollections(world.db, world.clock.now())
  expect(ids).toContain(importId)
  await work({ importId, leaseUntil }, new AbortController().signal)
}

async function dueImport(columns = {}): Promise<{ connectionId: string; id: string }> {
  const { id: connectionId } = await world.connection()
  const due = { nextCollectAt: world.clock.now(), finishedAt: world.clock.now(), detailsState: 'pending' }
  const { id } = await world.tracked({ connectionId, state: 'partial', nextPollAt: null, ...due, ...columns })
  return { connectionId, id }
}

const page = (skipped: { line: number; column: number }[]) => ({
  status: 'FINISHED',
  result: { statistics: { skipped, skippedNextStartAfter: `cursor-${pages++}` } },
})

test('a list whose pages stay empty for ever is given up', async () => {
  vendor.answer((_request, response) => sendJson(response, page([])))
  const { connectionId, id } = await dueImport()
  await collect(connectionId, id)
  expect(pages).toBe(100)
  expect(await world.row(id)).toMatchObject({
    detailsState: 'incomplete',
    nextCollectAt: null,
    collectLeaseUntil: null,
  })
})

test('a list that goes on for a week is given up with what there is', async () => {
  vendor.answer((_request, response) => sendJson(response, page([{ line: pages, column: 1 }])))
  const { connectionId, id } = await dueImport({ finishedAt: new Date(world.clock.now().getTime() - 8 * 86_400_000) })
  await collect(connectionId, id)
  expect(await world.row(id)).toMatchObject({ detailsState: 'incomplete', skippedLines: 1 })
})

test('a 404 counts when three in a row say so, whatever went wrong before', async () => {
  const { connectionId, id } = await dueImport()
  const states: string[] = []
  for (const status of [500, 500, 404, 404, 404]) {
    vendor.answer((_request, response) => sendJson(response, {}, status))
    await collect(connectionId, id)
    const row = await world.row(id)
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
  await collect(connectionId, id)
  expect(await world.row(id)).toMatchObject({ detailsState: 'complete', skippedLines: 2 })
})
