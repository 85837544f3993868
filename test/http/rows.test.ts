import { request } from 'node:http'
import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { useApi } from '../support/worlds/api.ts'
import { adminToken } from '../support/worlds/ground.ts'

const api = useApi()
const authorized = { authorization: `Bearer ${adminToken}` }

async function allPages(operation: string, id: string, limit: number) {
  const seen: unknown[] = []
  let after: string | null = null
  do {
    const { body } = await api.call(operation, { id }, { query: { limit, ...(after && { after }) } })
    seen.push(...body.data)
    after = body.next
  } while (after !== null)
  return seen
}

/** How many of these statements read a batch of skipped lines. */
function batchesIn(statements: readonly unknown[]): number {
  return statements.filter((call) => JSON.stringify(call).includes('from \\"skipped_lines\\"')).length
}

describe('skipped lines', () => {
  test('come in pages, in the provider’s order', async () => {
    const { id } = await api.import()
    await api.skippedLines(id, [
      [7, 3, null],
      [3, 1],
    ])
    const expected = [
      { line: 7, column: 1, page: 0 },
      { line: 3, column: 1, page: 0 },
      { line: null, column: null, page: 0 },
      { line: 3, column: 1, page: 1 },
      { line: 1, column: 1, page: 1 },
    ]
    for (const limit of [1, 2, 5, 1_000])
      expect(await allPages('GET /v1/imports/{id}/skipped-lines', id, limit)).toEqual(expected)
  })

  test('come as CSV and NDJSON', async () => {
    const { id } = await api.import()
    await api.skippedLines(id, [[7, null]])
    const csv = await api.call('GET /v1/imports/{id}/skipped-lines', { id }, { headers: { accept: 'text/csv' } })
    expect(csv.body).toBe('line,column,page\r\n7,1,0\r\n,,0\r\n')
    expect(csv.headers.get('content-disposition')).toBe(`attachment; filename="skipped-lines-${id}.csv"`)
    const ndjson = await api.call(
      'GET /v1/imports/{id}/skipped-lines',
      { id },
      { headers: { accept: 'application/x-ndjson' } },
    )
    expect(ndjson.body).toBe('{"line":7,"column":1,"page":0}\n{"line":null,"column":null,"page":0}\n')
  })

  test('an empty CSV still has its header', async () => {
    const { id } = await api.import()
    const { body } = await api.call('GET /v1/imports/{id}/skipped-lines', { id }, { headers: { accept: 'text/csv' } })
    expect(body).toBe('line,column,page\r\n')
  })

  test('a download has all of them, over many batches, and takes no cursor', async () => {
    const { id } = await api.import()
    await api.database.pool.query(
      'INSERT INTO skipped_lines SELECT $1, n / 1000, n % 1000, n, 1 FROM generate_series(0, 49999) n',
      [id],
    )
    const { body } = await api.call('GET /v1/imports/{id}/skipped-lines', { id }, { headers: { accept: 'text/csv' } })
    const lines = body.split('\r\n').slice(1, -1)
    expect(lines.map((line: string) => Number(line.split(',')[0]))).toEqual(Array.from({ length: 50_000 }, (_, n) => n))
    const refused = await api.call(
      'GET /v1/imports/{id}/skipped-lines',
      { id },
      {
        headers: { accept: 'text/csv' },
        query: { after: 'WzEsMV0' },
      },
    )
    expect(refused.body).toMatchObject({ status: 400, errors: [{ field: 'after' }] })
  })

  test('a download that is asked for its headers alone reads no more than its first batch', async () => {
    const { id } = await api.import()
    await api.database.pool.query(
      'INSERT INTO skipped_lines SELECT $1, n / 1000, n % 1000, n, 1 FROM generate_series(0, 49999) n',
      [id],
    )
    using statements = vi.spyOn(api.database.pool, 'query')
    const answer = await fetch(`${api.url}/v1/imports/${id}/skipped-lines`, {
      method: 'HEAD',
      headers: { authorization: `Bearer ${adminToken}`, accept: 'text/csv' },
    })
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/csv; charset=utf-8'])
    await vi.waitUntil(() => api.database.pool.idleCount === api.database.pool.totalCount)
    expect(batchesIn(statements.mock.calls)).toBe(1) // of 25: if it fails, the answer still says so
  })

  test('a client that goes in the middle of a download is noticed, and nothing is logged as an error', async () => {
    const { id } = await api.import()
    await api.database.pool.query(
      'INSERT INTO skipped_lines SELECT $1, n / 1000, n % 1000, n, 1 FROM generate_series(0, 299999) n',
      [id],
    )
    using statements = vi.spyOn(api.database.pool, 'query')
    const sent = request(`${api.url}/v1/imports/${id}/skipped-lines`, {
      headers: { authorization: `Bearer ${adminToken}`, accept: 'application/x-ndjson' },
    })
    sent.end()
    await new Promise<void>((resolve, reject) => {
      sent.on('error', reject)
      sent.on('response', (answer) => answer.once('data', () => answer.destroy()).once('close', resolve))
    })
    const line = await vi.waitUntil(() =>
      api.logLines.map((text) => JSON.parse(text)).find(({ path }) => path?.includes(id)),
    )
    expect(line).toMatchObject({ msg: 'request', complete: false })
    expect(api.logLines.some((text) => text.includes('request failed'))).toBe(false)
    await vi.waitUntil(() => api.database.pool.idleCount === api.database.pool.totalCount)
    const batches = batchesIn(statements.mock.calls)
    expect(batches).toBeGreaterThan(0)
    expect(batches).toBeLessThan(100) // of 150: it reads no faster than it is read
  })

  test.each(['nonsense', 'WzFd', Buffer.from('[99999999999999,0]').toString('base64url')])(
    'the cursor %s is refused',
    async (after) => {
      const { id } = await api.import()
      const { body } = await api.call('GET /v1/imports/{id}/skipped-lines', { id }, { query: { after } })
      expect(body).toMatchObject({ status: 400, errors: [{ field: 'after' }] })
    },
  )
})

describe('row results', () => {
  const rows = [
    { recordId: 'r0', created: true, existing: false },
    { recordId: null, errorCode: 'E1', errorMessage: 'no name', line: 7, column: 2 },
    { recordId: 'r2', existing: true, errorCode: null, errorMessage: 'odd' },
  ]

  test('come in pages', async () => {
    const { id } = await api.import()
    await api.rowResults(id, rows)
    const expected = [
      { row: 0, line: null, column: null, recordId: 'r0', created: true, existing: false, error: null },
      {
        row: 1,
        line: 7,
        column: 2,
        recordId: null,
        created: null,
        existing: null,
        error: { code: 'E1', message: 'no name' },
      },
      {
        row: 2,
        line: null,
        column: null,
        recordId: 'r2',
        created: null,
        existing: true,
        error: { code: null, message: 'odd' },
      },
    ]
    for (const limit of [1, 2, 3, 100])
      expect(await allPages('GET /v1/imports/{id}/row-results', id, limit)).toEqual(expected)
  })

  test('cells that a spreadsheet would run as a formula are defused, and quotes survive', async () => {
    const { id } = await api.import()
    const texts = ['=1+1', '+1+1', '-a', '@SUM(A1)', '\tx', '\rx', 'a"b', 'a,b', 'two\nlines', ' =fine', 'ok']
    texts.push('＝1', 'a;=1', 'a\t@b', 'a\n- b', 'a=b;c-d')
    await api.rowResults(
      id,
      texts.map((recordId) => ({ recordId })),
    )
    const { body } = await api.call('GET /v1/imports/{id}/row-results', { id }, { headers: { accept: 'text/csv' } })
    const cells = body.slice(body.indexOf('\r\n') + 2)
    expect(cells).toBe(
      [
        "0,'=1+1,,,,,,",
        "1,'+1+1,,,,,,",
        "2,'-a,,,,,,",
        "3,'@SUM(A1),,,,,,",
        '4,"\'\tx",,,,,,',
        '5,"\'\rx",,,,,,',
        '6,"a""b",,,,,,',
        '7,"a,b",,,,,,',
        '8,"two\nlines",,,,,,',
        '9, =fine,,,,,,',
        '10,ok,,,,,,',
        "11,'＝1,,,,,,",
        // A spreadsheet that splits at something else sees cells begin here, too.
        '12,"a;\'=1",,,,,,',
        '13,"a\t\'@b",,,,,,',
        '14,"a\n\'- b",,,,,,',
        '15,"a=b;c-d",,,,,,',
        '',
      ].join('\r\n'),
    )
  })

  test('ids that are a sign and digits stay as they are, so that they can be joined by', async () => {
    const { id } = await api.import()
    const numbers = ['-42', '+4917112345', '00123', '-0.50', '9912140633506421', 'a;-42', '-42;b']
    const formulas = ['-42+1', '--42', '-', '-1e5', '+1.2.3', '-42;=1', '=-42', '-4 2', '- 42', '-\u0664']
    await api.rowResults(
      id,
      [...numbers, ...formulas].map((recordId) => ({ recordId })),
    )
    const { body } = await api.call('GET /v1/imports/{id}/row-results', { id }, { headers: { accept: 'text/csv' } })
    const cells = parseCsv(body).map(([, recordId]) => recordId)
    expect(cells.slice(1, 1 + numbers.length)).toEqual(numbers)
    for (const [at, text] of formulas.entries()) {
      const cell = cells[1 + numbers.length + at]
      expect(cell, text).not.toBe(text)
      expect(cell?.replaceAll("'", '')).toBe(text)
    }
  })

  test('a CSV begins with a byte order mark where that is asked for, and nothing else may', async () => {
    const { id } = await api.import()
    await api.rowResults(id, [{ recordId: 'Müller' }])
    const path = `/v1/imports/${id}/row-results`
    const bytesOf = async (query: string) => {
      const response = await fetch(`${api.url}${path}${query}`, { headers: { ...authorized, accept: 'text/csv' } })
      return { status: response.status, bytes: Buffer.from(await response.arrayBuffer()) }
    }
    const plain = Buffer.from('row,recordId,created,existing,errorCode,errorMessage,line,column\r\n0,Müller,,,,,,\r\n')
    expect(await bytesOf('')).toEqual({ status: 200, bytes: plain })
    expect(await bytesOf('?bom=false')).toEqual({ status: 200, bytes: plain })
    const marked = Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), plain])
    expect(await bytesOf('?bom=true')).toEqual({ status: 200, bytes: marked })
    expect((await bytesOf('?bom=1')).status).toBe(400)
    for (const accept of ['application/json', 'application/x-ndjson'])
      expect(await api.send(`${path}?bom=true`, { headers: { ...authorized, accept } })).toMatchObject({
        status: 400,
        body: { errors: [{ field: 'bom' }] },
      })
  })

  test('numbers stay numbers in CSV, also below zero', async () => {
    const { id } = await api.import()
    await api.skippedLines(id, [[-7]])
    const { body } = await api.call('GET /v1/imports/{id}/skipped-lines', { id }, { headers: { accept: 'text/csv' } })
    expect(body).toBe('line,column,page\r\n-7,1,0\r\n')
  })

  test('any text comes back as it was from NDJSON, and from CSV but for what is defused', async () => {
    const anything = fc.array(
      fc.oneof(fc.string({ unit: 'grapheme' }), fc.string({ unit: fc.constantFrom(...'a"\r\n,;') })),
    )
    await fc.assert(
      fc.asyncProperty(anything, async (texts) => {
        const { id } = await api.import()
        const stored = texts.map((text) => text.replaceAll('\0', ''))
        if (stored.length > 0)
          await api.rowResults(
            id,
            stored.map((recordId) => ({ recordId })),
          )
        const download = (accept: string) =>
          api.call('GET /v1/imports/{id}/row-results', { id }, { headers: { accept } })
        const lines: string[] = (await download('application/x-ndjson')).body.split('\n').slice(0, -1)
        expect(lines.map((line) => JSON.parse(line).recordId)).toEqual(stored)
        const cells = parseCsv((await download('text/csv')).body).map(([, recordId]) => recordId)
        expect(cells.slice(1).map((text) => text?.replaceAll("'", ''))).toEqual(
          stored.map((text) => text.replaceAll("'", '')),
        )
      }),
      { numRuns: 40 },
    )
  })

  test('booleans are words in CSV, and unknown ones are empty', async () => {
    const { id } = await api.import()
    await api.rowResults(id, rows)
    const { body } = await api.call('GET /v1/imports/{id}/row-results', { id }, { headers: { accept: 'text/csv' } })
    expect(body.split('\r\n').slice(0, 3)).toEqual([
      'row,recordId,created,existing,errorCode,errorMessage,line,column',
      '0,r0,true,false,,,,',
      '1,,,,E1,no name,7,2',
    ])
  })
})

/** CSV by the grammar of RFC 4180. */
function parseCsv(text: string): string[][] {
  const records: string[][] = [[]]
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/gy
  let end = 0
  for (const [all, quoted, plain = '', separator] of text.matchAll(field)) {
    records.at(-1)?.push(quoted?.replaceAll('""', '"') ?? plain)
    if (separator === '\r\n') records.push([])
    end += all.length
  }
  expect(end).toBe(text.length)
  return records.slice(0, -1)
}

test('a client that wants a media type that there isn’t gets JSON', async () => {
  const { id } = await api.import()
  const { headers } = await api.call('GET /v1/imports/{id}/row-results', { id }, { headers: { accept: 'image/png' } })
  expect(headers.get('content-type')).toMatch('application/json')
})
