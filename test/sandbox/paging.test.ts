import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import type { Sandbox, SandboxJob } from '../../src/sandbox/server.ts'
import { ask, askJson, openSandbox, statusPath } from './open.ts'

describe('skipped lines at CDQ', () => {
  test.each([
    [0, 10, 1],
    [1, 10, 1],
    [10, 10, 1],
    [11, 10, 2],
    [2_345, 100, 24],
  ])('%i lines, %i a page, are %i pages with every line once', async (skippedLines, pageSize, pages) => {
    const { sandbox } = await openSandbox()
    const job = sandbox.add({ provider: 'cdq', durationMs: 0, skippedLines, pageSize })
    const lines: number[] = []
    let asked = 0
    await walkSkipped(sandbox, job, (skipped) => {
      asked++
      lines.push(...skipped.map(({ line }) => line))
    })
    expect(asked).toBe(pages)
    expect(new Set(lines).size).toBe(skippedLines)
    expect(lines).toEqual(lines.toSorted((a, b) => a - b))
  })

  test('the whole job comes with every page', async () => {
    const { sandbox } = await openSandbox()
    const job = sandbox.add({ provider: 'cdq', durationMs: 0, skippedLines: 30, pageSize: 10 })
    const first = await askJson(sandbox, job)
    const second = await askJson(sandbox, job, { path: pathOf(sandbox, job, '110') })
    expect(second.result.statistics).toMatchObject({ skippedStartAfter: '110', skippedNextStartAfter: '210' })
    expect({ ...second, result: null }).toEqual({ ...first, result: null })
  })

  test.each(['11', '0', '-10', '400', 'x', '1e1', ' '])(
    'a cursor that names no line, %j, is a bad request',
    async (cursor) => {
      const { sandbox } = await openSandbox()
      const job = sandbox.add({ provider: 'cdq', durationMs: 0, skippedLines: 30, pageSize: 10 })
      const response = await ask(sandbox, job, { path: pathOf(sandbox, job, cursor) })
      expect(response.status).toBe(400)
      expect(await response.json()).toMatchObject({ status: { technicalKey: 'BAD_REQUEST' } })
    },
  )

  test.each([
    ['absent', undefined],
    ['null', null],
    ['empty', ''],
    ['repeated', '110'],
  ] as const)('the last page can say so by a cursor that is %s', async (lastCursor, expected) => {
    const { sandbox } = await openSandbox()
    const job = sandbox.add({ provider: 'cdq', durationMs: 0, skippedLines: 20, pageSize: 10, lastCursor })
    const last = await askJson(sandbox, job, { path: pathOf(sandbox, job, '110') })
    expect(last.result.statistics.skippedNextStartAfter).toBe(expected)
  })

  test('a million lines are served with flat memory', async () => {
    const { sandbox } = await openSandbox({ keepRequests: 10 })
    const job = sandbox.add({ provider: 'cdq', durationMs: 0, skippedLines: 1_000_000, pageSize: 5_000 })
    let pages = 0
    let lines = 0
    let lastLine = 0
    const heapMb: number[] = []
    await walkSkipped(sandbox, job, (skipped) => {
      pages++
      lines += skipped.length
      lastLine = skipped.at(-1)?.line ?? 0
      if (pages === 50 || pages === 200) heapMb.push(heapInUseMb())
    })
    expect([pages, lines, lastLine]).toEqual([200, 1_000_000, 10_000_000])
    const [early = 0, late = Number.POSITIVE_INFINITY] = heapMb
    // The 750,000 lines in between would be over 40 MiB if they were kept.
    expect(late - early).toBeLessThan(5)
  })
})

describe('failed items at FullStory', () => {
  test.each([
    ['events', 0],
    ['events', 1_234],
    ['users', 1_234],
  ] as const)(
    '%s: all %i of them come once, page by page, with their number as a string',
    async (resource, failedRows) => {
      const { sandbox } = await openSandbox()
      const outcome = failedRows === 0 ? 'succeeded' : 'partial'
      const script = { durationMs: 0, outcome, resource, rows: 10_000, failedRows, pageSize: 100 } as const
      const { jobId, baseUrl, ...job } = sandbox.add({ provider: 'fullstory', ...script })
      const uids: string[] = []
      let token: string | undefined
      do {
        const query = token === undefined ? '' : `?page_token=${encodeURIComponent(token)}`
        const path = `/v2/${resource}/batch/${encodeURIComponent(jobId)}/errors${query}`
        const page = await askJson(sandbox, { ...job, jobId, baseUrl }, { path })
        expect(page.total_records).toBe(String(failedRows))
        for (const { message, code, event, user } of page.results) {
          expect([typeof message, typeof code]).toEqual(['string', 'string'])
          uids.push(resource === 'events' ? event.user.uid : user.uid)
        }
        token = page.next_page_token
      } while (token !== undefined)
      expect(new Set(uids).size).toBe(failedRows)
      expect(uids).toHaveLength(failedRows)
    },
  )

  test("aren't there before the end, nor behind a token of nobody's", async () => {
    const { sandbox, clock } = await openSandbox()
    const job = sandbox.add({ provider: 'fullstory', durationMs: 1_000, outcome: 'failed' })
    const path = `${statusPath(sandbox, 'fullstory', job.jobId)}/errors`
    expect((await ask(sandbox, job, { path })).status).toBe(202)
    clock.advance(1_000)
    expect((await ask(sandbox, job, { path })).status).toBe(200)
    const refused = await ask(sandbox, job, { path: `${path}?page_token=nonsense` })
    expect([refused.status, await refused.json()]).toMatchObject([400, { code: 'invalid_field' }])
  })
})

test('the results at micro are one a row, and agree with the counters', async () => {
  const { sandbox } = await openSandbox()
  const script = { durationMs: 0, outcome: 'partial', rows: 5_000, failedRows: 777, updatedRows: 1_000 } as const
  const { results, ...job } = await askJson(sandbox, sandbox.add({ provider: 'micro', ...script }))
  expect(job).toMatchObject({ total: 5_000, processed: 5_000, succeeded: 4_223, failed: 777 })
  const count = (test: (result: Record<string, unknown>) => boolean) => results.filter(test).length
  expect(results).toHaveLength(5_000)
  expect(count(({ error }) => error !== undefined)).toBe(777)
  expect(count(({ existing }) => existing === true)).toBe(1_000)
  expect(count(({ created }) => created === true)).toBe(3_223)
  expect(new Set(results.map(({ id }: { id?: string }) => id)).size).toBe(4_223 + 1)
})

describe("Zilliant's report", () => {
  test.each([
    ['succeeded', { status: 'SUCCESS', processedRows: 100, message: expect.any(String) }],
    ['partial', { status: 'PARTIAL_SUCCESS', processedRows: 90, failedRows: 10, message: expect.any(String) }],
    ['failed', { status: 'FAILED', failedRows: 100, message: expect.any(String) }],
  ] as const)('of an import that has %s gives the counts that the vendor gives', async (outcome, expected) => {
    const { sandbox, clock } = await openSandbox()
    const job = sandbox.add({ provider: 'zilliant', durationMs: 1_000, rows: 100, outcome })
    const path = `/v1/EntityImport/${job.jobId}/report`
    expect((await ask(sandbox, job, { path })).status).toBe(404)
    clock.advance(1_000)
    expect(await askJson(sandbox, job, { path })).toEqual(expected)
  })
})

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

function heapInUseMb(): number {
  collectGarbage()
  return process.memoryUsage().heapUsed / 2 ** 20
}

type Skipped = { line: number; column: number }[]

async function walkSkipped(sandbox: Sandbox, job: SandboxJob, onPage: (skipped: Skipped) => void): Promise<void> {
  let cursor: string | undefined
  do {
    const page = await askJson(sandbox, job, { path: pathOf(sandbox, job, cursor) })
    onPage(page.result.statistics.skipped)
    cursor = page.result.statistics.skippedNextStartAfter
  } while (cursor !== undefined)
}

function pathOf(sandbox: Sandbox, { jobId }: SandboxJob, cursor?: string): string {
  const path = statusPath(sandbox, 'cdq', jobId)
  return cursor === undefined ? path : `${path}?skippedStartAfter=${encodeURIComponent(cursor)}`
}
