import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { type IncomingMessage, request } from 'node:http'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type RunningCli, startCli } from '../cli/run.ts'
import { testEnvironment } from '../support/service.ts'
import { queueStores } from '../support/stores.ts'
import { adminToken } from '../support/worlds/ground.ts'
import { useService } from '../support/worlds/service.ts'

const [store] = queueStores
if (!store) throw new Error('there is a queue store')

const probe = new URL('../support/memory-probe.ts', import.meta.url).href
/** The kernel's own measure of a process, where there is one. */
const onLinux = process.platform === 'linux'

const kinds = {
  'skipped-lines': {
    columns: 3,
    insert: 'INSERT INTO skipped_lines SELECT $1, n / 1000, n % 1000, n, n % 50 FROM generate_series(0, $2::int - 1) n',
  },
  'row-results': {
    columns: 6,
    insert: `INSERT INTO row_results SELECT $1, n, n / 1000, 'record ' || n, true, false, 'code', 'message ' || n, NULL
      FROM generate_series(0, $2::int - 1) n`,
  },
}
type Kind = keyof typeof kinds

describe.skipIf(!onLinux)('a download', () => {
  const app = useService(store, { roles: 'api' })
  /** The API in a process of its own, so that its memory is its own. */
  let server: RunningCli
  let url = ''

  beforeAll(async () => {
    // With a heap of 128 MB V8 collects garbage soon: with more it may keep 150 MB of it, or 170.
    const options = { NODE_OPTIONS: `--import=${probe} --max-semi-space-size=2 --max-old-space-size=128` }
    server = startCli([], { ...testEnvironment({ ...app.place, roles: 'api' }), ...options })
    const [said] = await server.said(/http:[^\s";]+/)
    url = said
  })
  afterAll(async () => {
    server.child.kill('SIGTERM')
    await server.exited
  })

  async function anImport(kind: Kind, rows: number): Promise<string> {
    const { id } = await app.track(await app.connect('cdq'), { provider: 'cdq' })
    await app.sql(kinds[kind].insert, [id, rows])
    await app.sql(`UPDATE imports SET ${kind.replace('-', '_')} = $2 WHERE id = $1`, [id, rows])
    return id
  }

  async function open(kind: Kind, id: string, accept: string): Promise<IncomingMessage> {
    const sent = request(`${url}/v1/imports/${id}/${kind}`, {
      headers: { authorization: `Bearer ${adminToken}`, accept },
    })
    sent.end()
    const [answer] = (await once(sent, 'response')) as [IncomingMessage]
    expect(answer.statusCode).toBe(200)
    return answer
  }

  /** Reads on until so many lines have come, or to the end. */
  async function readLines(answer: IncomingMessage, atMost = Number.POSITIVE_INFINITY): Promise<number> {
    let lines = 0
    for await (const chunk of answer.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      for (const byte of chunk) if (byte === 10) lines++
      if (lines >= atMost) break
    }
    return lines
  }

  /** What the server's connections do at this moment. */
  const databaseTime = async () => {
    const [row] = await app.sql('SELECT extract(epoch FROM clock_timestamp())::float8 AS now')
    return Number(row?.now)
  }
  const activity = () =>
    app.sql(
      `SELECT state, xact_start AS transaction, extract(epoch FROM query_start)::float8 AS since FROM pg_stat_activity
       WHERE datname = current_database() AND query ILIKE '%from "skipped_lines"%' AND pid <> pg_backend_pid()`,
    )

  /** Megabytes resident now, and at the most since `forgetPeak`: proc(5). */
  async function resident(): Promise<{ now: number; peak: number }> {
    const status = await readFile(`/proc/${server.child.pid}/status`, 'utf8')
    const megabytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) / 1_024
    return { now: megabytes('VmRSS'), peak: megabytes('VmHWM') }
  }
  const forgetPeak = () => writeFile(`/proc/${server.child.pid}/clear_refs`, '5')

  /** Megabytes that are in use, garbage excluded. */
  async function inUse(): Promise<number> {
    const said = () => [...server.output().stdout.matchAll(/^In use: (\d+) bytes\.$/gm)]
    const before = said().length
    server.child.kill('SIGUSR2')
    return vi.waitFor(() => {
      expect(said().length).toBeGreaterThan(before)
      return Number(said().at(-1)?.[1]) / 1_048_576
    })
  }

  test.each([
    ['skipped-lines', 'text/csv', 2_000_000],
    ['row-results', 'application/x-ndjson', 500_000],
  ] as const)('of %s as %s takes as much memory for %i rows as for 20,000', async (kind, accept, rows) => {
    const header = accept === 'text/csv' ? 1 : 0
    const small = await anImport(kind, 20_000)
    expect(await readLines(await open(kind, small, accept))).toBe(20_000 + header) // code is compiled, connections are open
    await readLines(await open(kind, small, accept))
    const before = { inUse: await inUse(), resident: (await resident()).now }
    await forgetPeak()

    const answer = await open(kind, await anImport(kind, rows), accept)
    const half = await readLines(answer, rows / 2)
    const inTheMiddle = await inUse()
    expect(half + (await readLines(answer))).toBe(rows + header)
    const { peak } = await resident()
    // Half of the rows would be 100 MB and more if they were kept; a batch is some 0.5 MB.
    expect(inTheMiddle - before.inUse).toBeLessThan(8)
    // Beyond that it is garbage that V8 has not collected yet, which the heap's size limits.
    expect(peak - before.resident).toBeLessThan(100)
  })

  test('that nobody reads on holds neither a transaction nor a connection', async () => {
    const answer = await open('skipped-lines', await anImport('skipped-lines', 500_000), 'application/x-ndjson')
    await readLines(answer, 1_000)
    await vi.waitFor(async () => {
      const [first, second] = [await activity(), await activity()]
      expect(first).toEqual(second) // it has stopped asking: what can be sent without being read is sent
      expect(first.map(({ state, transaction }) => [state, transaction])).toEqual(first.map(() => ['idle', null]))
    })
    expect(await readLines(answer)).toBeGreaterThan(400_000)
  })

  test('whose client goes asks the database for nothing more', async () => {
    const answer = await open('skipped-lines', await anImport('skipped-lines', 500_000), 'text/csv')
    await readLines(answer, 1_000)
    answer.destroy()
    await server.said(/"complete":false/)
    const gone = await databaseTime()
    // The statement that was under way may take a moment to end.
    const left = await vi.waitFor(async () => {
      const found = await activity()
      expect(found.map(({ state, transaction }) => [state, transaction])).toEqual(found.map(() => ['idle', null]))
      return found
    })
    for (const { since } of left) expect(Number(since)).toBeLessThanOrEqual(gone)
    await fetch(`${url}/readyz`)
    expect(left).toEqual(expect.arrayContaining(await activity()))
  })

  test.each([
    ['fails', 'ALTER TABLE skipped_lines RENAME TO gone', 'ALTER TABLE gone RENAME TO skipped_lines'],
    ['has no more of the rows', 'DELETE FROM skipped_lines', 'SELECT 1'],
  ])(
    'is cut off where the database %s in the middle, so that a part looks like no whole',
    async (_what, fail, mend) => {
      const answer = await open('skipped-lines', await anImport('skipped-lines', 500_000), 'text/csv')
      await readLines(answer, 1_000)
      await app.sql(fail)
      try {
        await expect(readLines(answer)).rejects.toThrow('aborted')
        expect(answer.complete).toBe(false)
      } finally {
        await app.sql(mend)
      }
    },
  )

  test('that fails before its first row is a problem document', async () => {
    const id = await anImport('skipped-lines', 10)
    await app.sql('ALTER TABLE skipped_lines RENAME TO gone')
    try {
      const headers = { authorization: `Bearer ${adminToken}`, accept: 'text/csv' }
      const answer = await fetch(`${url}/v1/imports/${id}/skipped-lines`, { headers })
      expect([answer.status, answer.headers.get('content-type')]).toEqual([
        500,
        'application/problem+json; charset=utf-8',
      ])
    } finally {
      await app.sql('ALTER TABLE gone RENAME TO skipped_lines')
    }
  })
})
