// Files of rows over real sockets: each format and server, cut off in the middle and read on, at another origin without
// our credentials.
import { createHash, randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { eq } from 'drizzle-orm'
import { pino } from 'pino'
import { pack } from 'tar-stream'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { giveUpOverdue } from '../../src/collecting/give-up.ts'
import { collectWork } from '../../src/collecting/work.ts'
import type { ConnectionAccess } from '../../src/connections/access.ts'
import { connections, leases } from '../../src/db/schema/index.ts'
import { effectiveLimits } from '../../src/model/limits.ts'
import type { Provider } from '../../src/providers/contract.ts'
import { createDocumentProvider } from '../../src/providers/document/provider.ts'
import { documentSchema } from '../../src/providers/document/read-document.ts'
import type { Pace } from '../../src/providers/files/asked-file.ts'
import { takeLeases } from '../../src/work/leases.ts'
import { createServer } from '../../src/work/serve.ts'
import { sendJson, startClient, startVendor, type Vendor } from '../providers/vendor.ts'
import { useWorld } from '../support/worlds/world.ts'

const world = useWorld()
let vendor: Vendor
let storage: Vendor
let asker: ReturnType<typeof startClient>

beforeAll(async () => {
  vendor = await startVendor()
  storage = await startVendor()
  asker = startClient({ bodyMs: 2_000 })
})
afterAll(async () => {
  await Promise.all([vendor.close(), storage.close(), asker.close()])
})
beforeEach(() => {
  vendor.seen.length = 0
  storage.seen.length = 0
})

const row = { recordId: '/id', code: '/code', message: '/message', line: '/line' }

function providerOf(details: object[]): Provider {
  return createDocumentProvider(
    documentSchema.parse({
      format: 1,
      name: 'acme',
      title: 'Acme',
      baseUrl: null,
      credentials: { apiKey: {} },
      auth: { kind: 'bearer', token: '{credentials.apiKey}' },
      status: { request: { path: '/v1/jobs/{job}' }, state: { from: '/status', map: { done: 'partial' } } },
      details,
    }),
  ) as Provider
}

const csvAtUrl = {
  kind: 'file',
  url: '/url',
  hosts: ['127.0.0.1'],
  format: { kind: 'csv', needs: ['id', 'message'] },
  row,
}

/** Tests can't wait as long as the service does. */
const shortPace = { bytes: 1_000, ms: 300 }

function kindOf(connectionId: string, provider: Provider, filePace?: Pace) {
  const access = {
    id: connectionId,
    name: 'vendor',
    provider,
    baseUrl: vendor.baseUrl,
    credentials: { apiKey: 'top-secret' },
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
    ...(filePace && { filePace }),
    accesses: { load: async () => accesses, open: async () => accesses },
  })
}

function deps() {
  const wake = Object.assign(() => {}, { listen() {} })
  return { db: world.db, clock: world.clock, log: pino({ level: 'silent' }), wake }
}

async function dueImport(columns = {}) {
  const { id: connectionId } = await world.connection()
  const due = { nextCollectAt: world.clock.now(), finishedAt: world.clock.now(), detailsState: 'pending' }
  const { id } = await world.import({ connectionId, state: 'partial', ...due, ...columns })
  return { connectionId, id }
}

/** Walks when it is due, until nothing is due any more or it was asked so often. */
async function collect(
  { connectionId, id }: { connectionId: string; id: string },
  provider: Provider,
  turns = 1,
  filePace?: Pace,
) {
  for (let turn = 0; turn < turns; turn++) {
    const { nextCollectAt } = await world.importRow(id)
    if (nextCollectAt === null) return
    if (nextCollectAt > world.clock.now()) world.clock.set(nextCollectAt)
    const [lease] = await takeLeases(world.db, 'collect', [connectionId], world.clock.now())
    const kind = kindOf(connectionId, provider, filePace)
    await createServer(kind, deps()).serve(lease?.id ?? '', new AbortController().signal)
    await world.db.delete(leases).where(eq(leases.ownerId, connectionId))
  }
}

const number = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => from + at)

function csvOf(rows: readonly number[], word = 'bad'): Buffer {
  const lines = rows.map((n) => `${n},invalid,"${word} ""${n}"",\nsecond line",${n + 2}\n`)
  return Buffer.from(`id,code,message,line\n${lines.join('')}`)
}

async function idsOf(importId: string): Promise<(string | null)[]> {
  return (await world.rowResultsOf(importId)).map(({ recordId }) => recordId)
}

const statusOf = (url: string) => ({ status: 'done', url })

interface Served {
  bytes: Buffer
  type?: string
  etag?: string | null
  ranges?: boolean
  encoding?: string
  /** The connection is cut behind so many bytes of the body. */
  cutAt?: number | null
}

/** A server of files as S3 is one. */
function serve({ bytes, type = 'text/csv', etag = sumOf(bytes), ranges = true, encoding, cutAt = null }: Served) {
  return (request: IncomingMessage, response: ServerResponse) => {
    const { range, 'if-range': ifRange } = request.headers
    const [, from = '', to = ''] = /^bytes=(\d+)-(\d*)$/.exec(range ?? '') ?? []
    const isPart = ranges && from !== '' && (ifRange === undefined || ifRange === etag)
    if (isPart && Number(from) >= bytes.length) {
      response.writeHead(416, { 'content-range': `bytes */${bytes.length}` }).end()
      return
    }
    const end = isPart && to !== '' ? Math.min(Number(to) + 1, bytes.length) : bytes.length
    const part = isPart ? bytes.subarray(Number(from), end) : bytes
    response.writeHead(isPart ? 206 : 200, {
      'content-type': type,
      'content-length': part.length,
      ...(etag !== null && { etag }),
      ...(encoding && { 'content-encoding': encoding }),
      ...(ranges && { 'accept-ranges': 'bytes' }),
      ...(isPart && { 'content-range': `bytes ${from}-${end - 1}/${bytes.length}` }),
    })
    if (cutAt === null) response.end(part)
    else response.write(part.subarray(0, cutAt), () => response.destroy())
  }
}

function sumOf(bytes: Buffer): string {
  return `"${createHash('md5').update(bytes).digest('hex')}"`
}

async function archiveOf(files: Record<string, string>): Promise<Buffer> {
  const archive = pack()
  for (const [name, text] of Object.entries(files)) archive.entry({ name }, text)
  archive.finalize()
  return gzipSync(await buffer(archive))
}

test('a file at another origin is read in pieces, without our credentials', async () => {
  storage.answer(serve({ bytes: csvOf(number(0, 3_500)) }))
  vendor.answerJson(statusOf(`${storage.baseUrl}/signed?token=of-theirs`))
  const due = await dueImport()
  await collect(due, providerOf([csvAtUrl]))
  expect(await world.importRow(due.id)).toMatchObject({
    detailsState: 'complete',
    rowResults: 3_500,
    detailsError: null,
  })
  expect(await idsOf(due.id)).toEqual(number(0, 3_500).map(String))
  const [first] = await world.rowResultsOf(due.id)
  expect(first).toMatchObject({ errorCode: 'invalid', errorMessage: 'bad "0",\nsecond line', line: 2 })
  expect(vendor.seen).toHaveLength(1)
  expect(storage.seen).toHaveLength(1)
  expect(storage.seen[0]?.target).toBe('/signed?token=of-theirs')
  expect(JSON.stringify(storage.seen)).not.toContain('top-secret')
  expect(Object.keys(storage.seen[0]?.headers ?? {})).not.toContain('authorization')
  const stored = await world.sql('SELECT cursor, next_cursor FROM detail_pages WHERE import_id = $1', [due.id])
  expect(stored.length).toBeGreaterThan(2)
  expect(JSON.stringify(stored)).not.toContain('signed')
})

test('the status that names a file is asked for where the last poll went', async () => {
  storage.answer(serve({ bytes: csvOf([1]) }))
  vendor.answerJson(statusOf(`${storage.baseUrl}/rows`))
  const due = await dueImport({ pollUrl: `${vendor.baseUrl}/moved/7?t=2` })
  await collect(due, providerOf([csvAtUrl]))
  expect(await idsOf(due.id)).toEqual(['1'])
  expect(vendor.seen.map(({ target }) => target)).toEqual(['/moved/7?t=2'])
})

test('a file below the base URL is asked for as the provider’s other requests are', async () => {
  vendor.answer((request, response) => {
    if (request.url === '/v1/jobs/job-1') return sendJson(response, { status: 'done', delimiter: 'SEMICOLON' })
    response.writeHead(200, { 'content-type': 'text/csv' }).end('id;message\n7;"no; name"\n')
  })
  const provider = providerOf([
    {
      kind: 'file',
      request: { path: '/v1/jobs/{job}/failed/', headers: { accept: 'text/csv' } },
      format: { kind: 'csv', delimiter: { from: '/delimiter', map: { COMMA: ',', SEMICOLON: ';' } }, needs: ['id'] },
      row,
    },
  ])
  const due = await dueImport({ jobId: 'job-1' })
  await collect(due, provider)
  expect((await world.rowResultsOf(due.id))[0]).toMatchObject({ recordId: '7', errorMessage: 'no; name' })
  expect(vendor.seen[1]).toMatchObject({
    target: '/v1/jobs/job-1/failed/',
    headers: { accept: 'text/csv', authorization: 'Bearer top-secret' },
  })
})

describe('every format', () => {
  const results = number(0, 2_500).map((n) => ({ id: n, code: 'bad', message: `Row ${n}`, line: n }))
  const lines = results.map((one) => `${JSON.stringify(one)}\n`).join('')
  const list = JSON.stringify(results)
  const csv = csvOf(number(0, 2_500)).toString()
  const utf16 = (text: string) => Buffer.from(`\uFEFF${text}`, 'utf16le')
  const inMembers = (text: string) => Buffer.concat([text.slice(0, 700), text.slice(700)].map((part) => gzipSync(part)))
  const file = (more: object) => [{ kind: 'file', url: '/url', hosts: ['127.0.0.1'], row, ...more }]
  const halves = [results.slice(0, 1_300), results.slice(1_300)].map((half) => JSON.stringify(half, null, 1))

  test.each<[string, object, () => Served | Promise<Served>]>([
    ['JSON lines', { format: 'jsonl' }, () => ({ bytes: Buffer.from(lines) })],
    ['gzip by its name', { format: 'jsonl' }, () => ({ bytes: gzipSync(lines) })],
    ['gzip, said', { format: 'jsonl', unpack: 'gzip' }, () => ({ bytes: gzipSync(lines) })],
    ['gzip by a header', { format: 'jsonl', unpack: 'gzip' }, () => ({ bytes: gzipSync(lines), encoding: 'gzip' })],
    ['a JSON list', { format: 'json' }, () => ({ bytes: Buffer.from(list) })],
    ['CSV in gzip', { format: 'csv' }, () => ({ bytes: gzipSync(csvOf(number(0, 2_500))) })],
    ['gzip of two members', { format: 'jsonl' }, () => ({ bytes: inMembers(lines) })],
    ['CSV in UTF-16', { format: 'csv' }, () => ({ bytes: utf16(csvOf(number(0, 2_500)).toString()) })],
    ['CSV in UTF-16, the bigger end first', { format: 'csv' }, () => ({ bytes: utf16(csv).swap16() })],
    ['JSON lines in UTF-16 in gzip', { format: 'jsonl' }, () => ({ bytes: gzipSync(utf16(lines)) })],
    ['a JSON list in UTF-16', { format: 'json' }, () => ({ bytes: utf16(list) })],
    [
      'CSV of an old Mac',
      { format: 'csv' },
      () => ({
        bytes: Buffer.from(
          csv
            .replaceAll('"\n', '"\r')
            .replaceAll(/(\d)\n/g, '$1\r')
            .replace('line\n', 'line\r'),
        ),
      }),
    ],
    [
      'an archive',
      { format: 'json', unpack: 'tarGz' },
      async () => ({
        bytes: await archiveOf({ '1.json': halves[0] ?? '', '2.json': halves[1] ?? '', '3.json': '[]' }),
      }),
    ],
  ])('%s', async (_name, form, served) => {
    const given = await served()
    storage.answer(serve(given))
    vendor.answerJson(statusOf(`${storage.baseUrl}/rows`))
    const due = await dueImport()
    await collect(due, providerOf(file(form)))
    expect(await world.importRow(due.id)).toMatchObject({ detailsState: 'complete', detailsError: null })
    expect(await idsOf(due.id)).toEqual(results.map(({ id }) => String(id)))
  })

  // The server's connection breaks behind each of these parts of the file; the next one begins after it.
  test.each<[string, object, Buffer | (() => Promise<Buffer>), boolean, boolean]>([
    ['CSV, in parts', { format: 'csv' }, csvOf(number(0, 2_500)), true, true],
    ['CSV, from the beginning', { format: 'csv' }, csvOf(number(0, 2_500)), false, true],
    ['CSV, by a server that names no version', { format: 'csv' }, csvOf(number(0, 2_500)), true, false],
    ['JSON lines, in parts', { format: 'jsonl' }, Buffer.from(lines), true, true],
    ['JSON lines in gzip', { format: 'jsonl' }, gzipSync(lines), true, true],
    ['CSV in UTF-16, but list', { format: 'csv' }, utf16(csv), true, true],
    ['a JSON list', { format: 'json' }, Buffer.from(list), true, true],
    [
      'an archive',
      { format: 'json', unpack: 'tarGz' },
      () => archiveOf({ a: halves[0] ?? '', b: halves[1] ?? '' }),
      false,
      false,
    ],
  ])('is read on where it broke off, no row twice and none lost: %s', async (name, form, given, ranges, named) => {
    const bytes = Buffer.isBuffer(given) ? given : await given()
    const served = { bytes, ranges, ...(!named && { etag: null }) }
    const answers = [serve({ ...served, cutAt: Math.floor(bytes.length * 0.7) }), serve(served)]
    storage.answer((request, response) => (answers.length > 1 ? answers.shift() : answers[0])?.(request, response))
    vendor.answerJson(statusOf(`${storage.baseUrl}/rows`))
    const due = await dueImport()
    const provider = providerOf(file(form))
    await collect(due, provider)
    const { detailsState, detailsError, rowResults } = await world.importRow(due.id)
    expect(detailsError).toMatchObject({ code: 'invalid_response' })
    // Packed files are so small that nothing is unpacked before they break off.
    if (!name.includes('gzip') && !name.includes('archive')) {
      expect(detailsState).toBe('collecting')
      expect(rowResults).toBeGreaterThan(900)
    }
    await collect(due, provider)
    expect(await world.importRow(due.id)).toMatchObject({ detailsState: 'complete', detailsError: null })
    expect(await idsOf(due.id)).toEqual(results.map(({ id }) => String(id)))
    const mayBeInParts = named && !name.includes('gzip') && !name.includes('list')
    expect(storage.seen.some(({ headers }) => headers.range !== undefined)).toBe(mayBeInParts)
  })
})

describe('a file that changed meanwhile', () => {
  test.each<[string, Omit<Served, 'bytes'>]>([
    ['by its version', {}],
    ['by its content, where there is no version', { etag: null, ranges: false }],
    ['by its content, although the version is the same', { etag: '"same"', ranges: false }],
  ])('is begun anew: %s', async (_how, served) => {
    const before = csvOf(number(0, 2_500))
    const answers = [
      serve({ ...served, bytes: before, cutAt: Math.floor(before.length * 0.7) }),
      serve({ ...served, bytes: csvOf(number(0, 2_600), 'new') }),
    ]
    storage.answer((request, response) => (answers.length > 1 ? answers.shift() : answers[0])?.(request, response))
    vendor.answerJson(statusOf(`${storage.baseUrl}/rows`))
    const due = await dueImport()
    await collect(due, providerOf([csvAtUrl]), 4)
    expect(await world.importRow(due.id)).toMatchObject({ detailsState: 'complete', detailsError: null })
    const stored = await world.rowResultsOf(due.id)
    expect(stored.map(({ recordId }) => recordId)).toEqual(number(0, 2_600).map(String))
    expect(stored.every(({ errorMessage }) => errorMessage?.startsWith('new'))).toBe(true)
  })
})

test.each<[string, string]>([
  ['a host that the document doesn’t allow', 'https://files.example.net/rows'],
  ['an address inside', 'http://169.254.169.254/latest/meta-data'],
  ['a name and a password', 'http://user:word@127.0.0.1/rows'],
  ['another scheme', 'file:///etc/passwd'],
])('nothing is asked of %s, and the connection stays as it is', async (_what, url) => {
  vendor.answerJson(statusOf(url))
  const due = await dueImport()
  await collect(due, providerOf([csvAtUrl]))
  const { detailsError, nextCollectAt } = await world.importRow(due.id)
  expect(detailsError).toMatchObject({ code: 'blocked_address' })
  expect(nextCollectAt).not.toBeNull()
  expect(storage.seen).toEqual([])
})

test.each([401, 403, 429, 503])('a %i of another origin says nothing about the connection', async (status) => {
  storage.answer((_request, response) =>
    response
      .writeHead(status, { 'retry-after': '600' })
      .end('<Error><SignatureProvided>x7/y=</SignatureProvided></Error>'),
  )
  vendor.answerJson(statusOf(`${storage.baseUrl}/rows`))
  const due = await dueImport()
  await collect(due, providerOf([csvAtUrl]))
  const [connection] = await world.db.select().from(connections).where(eq(connections.id, due.connectionId))
  expect(connection).toMatchObject({ pausedAt: null, blockedUntil: null, refusedSince: null })
  expect((await world.importRow(due.id)).detailsError).toMatchObject({ message: expect.stringContaining(`${status}`) })
  expect(JSON.stringify(await world.importRow(due.id))).not.toContain('SignatureProvided')
  // The next time the status names a new URL.
  storage.answer(serve({ bytes: csvOf([1]) }))
  await collect(due, providerOf([csvAtUrl]))
  expect(await idsOf(due.id)).toEqual(['1'])
  expect(vendor.seen).toHaveLength(2)
})

describe('what can’t be read ends within hours, and says why', () => {
  const many = (text: string) => Buffer.from(text)
  test.each<[string, Served, object, string]>([
    [
      'a bomb of gzip',
      { bytes: gzipSync(`id,message\n${'1,x\n'.repeat(400)}${'\n'.repeat(3_000_000)}`) },
      {},
      'response_too_large',
    ],
    ['a bomb of one line', { bytes: gzipSync(Buffer.alloc(3_000_000, 'x')) }, {}, 'response_too_large'],
    [
      'a line of a million characters',
      { bytes: many(`id,message\n1,"${'x'.repeat(1e6)}"\n`) },
      {},
      'response_too_large',
    ],
    ['too many records', { bytes: csvOf(number(0, 2_000)) }, {}, 'response_too_large'],
    ['a wrong header', { bytes: many('a,b\n1,2\n') }, {}, 'invalid_response'],
    ['a row with too few columns', { bytes: many('id,message\n1,2\n3\n') }, {}, 'invalid_response'],
    ['a file that breaks off each time', { bytes: csvOf([1, 2, 3]), cutAt: 40 }, {}, 'invalid_response'],
    ['gzip that ends too early', { bytes: gzipSync(csvOf(number(0, 900))).subarray(0, 3_000) }, {}, 'invalid_response'],
    ['a record that is no object', { bytes: many('{"id":1}\n5\n') }, { format: 'jsonl' }, 'invalid_response'],
    ['a page of HTML', { bytes: many('<html></html>\n'), type: 'text/html' }, {}, 'invalid_response'],
    ['fewer rows than were announced', { bytes: csvOf([1, 2]) }, { announced: { const: 3 } }, 'rows_missing'],
  ])('%s', async (_what, served, more, code) => {
    storage.answer(serve(served))
    vendor.answerJson(statusOf(`${storage.baseUrl}/rows`))
    const due = await dueImport()
    const registeredAt = world.clock.now()
    const limits = { bytes: 2_000_000, records: 1_500, recordLength: 900_000 }
    const provider = providerOf([{ ...csvAtUrl, limits, ...more }])
    for (let turn = 0; turn < 40 && (await world.importRow(due.id)).nextCollectAt !== null; turn++) {
      await collect(due, provider)
      await giveUpOverdue(world)
    }
    const found = await world.importRow(due.id)
    expect(found).toMatchObject({ detailsState: 'incomplete', nextCollectAt: null, detailsError: { code } })
    expect(world.clock.now().getTime() - registeredAt.getTime()).toBeLessThan(8 * 3_600_000)
  })
})

describe('a file that hardly comes', () => {
  let drips: NodeJS.Timeout[] = []
  afterEach(() => {
    for (const drip of drips) clearInterval(drip)
    drips = []
  })

  /** A server that sends the rest byte by byte, or nothing more. */
  function dripAfter(start: Buffer, byte: string, status = 200) {
    return (_request: IncomingMessage, response: ServerResponse) => {
      response.writeHead(status, { 'content-type': 'text/csv' }).write(start)
      const drip = setInterval(() => response.write(byte), 20)
      drips.push(drip)
      response.on('close', () => clearInterval(drip))
    }
  }
  const whole = csvOf(number(0, 5_000))

  test.each<[string, Buffer, string, object, number]>([
    ['within its header', Buffer.from('id,mess'), 'x', {}, 0],
    ['within its first record', Buffer.from('id,message\n1,"'), 'x', {}, 0],
    ['that stands still', Buffer.from('id,message\n1,"'), '', {}, 0],
    ['behind some records, which stay', Buffer.from('id,message\n1,bad\n2,bad\n3'), 'x', {}, 2],
    ['behind a piece of records, which stay', whole, ' ', {}, 5_000],
    ['within gzip', gzipSync(whole).subarray(0, 60), 'x', {}, 0],
    ['within an archive', gzipSync(randomBytes(5_000)).subarray(0, 100), '', { format: 'json', unpack: 'tarGz' }, 0],
    ['within a JSON list', Buffer.from('[{"id":1,"message":"x"},{"id":2'), '0', { format: 'json' }, 1],
  ])('makes room for others, and is asked for again: %s', async (_where, start, byte, more, kept) => {
    storage.answer(dripAfter(start, byte))
    vendor.answerJson(statusOf(`${storage.baseUrl}/rows`))
    const due = await dueImport()
    await collect(due, providerOf([{ ...csvAtUrl, ...more }]), 1, shortPace)
    expect(await world.importRow(due.id)).toMatchObject({
      ...{ detailsState: kept > 0 ? 'collecting' : 'pending', rowResults: kept, collectFailures: 1 },
      detailsError: { code: 'timeout', message: expect.stringContaining('more slowly') },
      nextCollectAt: expect.any(Date),
    })
    const { nextCollectAt } = await world.importRow(due.id)
    expect(nextCollectAt?.getTime()).toBeGreaterThan(world.clock.now().getTime())
    expect(drips).toHaveLength(1)
  })

  test('is read on where it was left, once the server has recovered', async () => {
    storage.answer(dripAfter(whole.subarray(0, 100_000), ''))
    vendor.answerJson(statusOf(`${storage.baseUrl}/rows`))
    const due = await dueImport()
    await collect(due, providerOf([csvAtUrl]), 1, shortPace)
    expect((await world.importRow(due.id)).rowResults).toBeGreaterThan(1_000)
    storage.answer(serve({ bytes: whole }))
    await collect(due, providerOf([csvAtUrl]), 1, shortPace)
    expect(await world.importRow(due.id)).toMatchObject({ detailsState: 'complete', detailsError: null })
    expect(await idsOf(due.id)).toEqual(number(0, 5_000).map(String))
  })

  test('is given up within hours, if it never gets better', async () => {
    storage.answer(dripAfter(Buffer.from('id,message\n1,bad\n2'), 'x'))
    vendor.answerJson(statusOf(`${storage.baseUrl}/rows`))
    const due = await dueImport()
    const since = world.clock.now().getTime()
    for (let turn = 0; turn < 40 && (await world.importRow(due.id)).nextCollectAt !== null; turn++) {
      await collect(due, providerOf([csvAtUrl]), 1, { bytes: 1_000, ms: 50 })
      await giveUpOverdue(world)
    }
    expect(await world.importRow(due.id)).toMatchObject({
      ...{ detailsState: 'incomplete', nextCollectAt: null, rowResults: 1 },
      detailsError: { code: 'timeout' },
    })
    expect(world.clock.now().getTime() - since).toBeLessThan(8 * 3_600_000)
    const events = await world.sql('SELECT type FROM events WHERE import_id = $1', [due.id])
    expect(events).toEqual([{ type: 'import.rows_incomplete' }])
  })
})

test('wrong bytes cost no row', async () => {
  const bytes = Buffer.concat([Buffer.from('id,message\n1,"a'), Buffer.from([0xff, 0xfe]), Buffer.from('b"\n2,c\n')])
  storage.answer(serve({ bytes }))
  vendor.answerJson(statusOf(`${storage.baseUrl}/rows`))
  const due = await dueImport()
  await collect(due, providerOf([csvAtUrl]))
  expect((await world.rowResultsOf(due.id)).map(({ errorMessage }) => errorMessage)).toEqual(['a\uFFFD\uFFFDb', 'c'])
})

test.each<[string, object, string]>([
  ['CSV', csvAtUrl, 'id,message,line,at\n1,bad,7,12\n2,bad,,3\n3,bad,9,\n4,bad,x,-\n'],
  [
    'JSON lines',
    { ...csvAtUrl, format: 'jsonl' },
    '{"id":1,"line":7,"at":"12"}\n{"id":2,"at":3}\n{"id":3,"line":"9","at":null}\n{"id":4,"line":"x","at":{}}\n',
  ],
  ['JSON', { ...csvAtUrl, format: 'json' }, '[{"id":1,"line":7,"at":12},{"id":2,"at":3},{"id":3,"line":9},{"id":4}]'],
])('rows of %s keep their line and their column', async (_what, details, text) => {
  storage.answer(serve({ bytes: Buffer.from(text), type: 'text/plain' }))
  vendor.answerJson(statusOf(`${storage.baseUrl}/rows`))
  const due = await dueImport()
  await collect(due, providerOf([{ ...details, row: { ...row, column: '/at' } }]))
  const places = (await world.rowResultsOf(due.id)).map(({ recordId, line, column }) => [recordId, line, column])
  expect(places).toEqual([
    ['1', 7, 12],
    ['2', null, 3],
    ['3', 9, null],
    ['4', null, null],
  ])
})

test('a file of skipped lines has lines and columns, too', async () => {
  storage.answer(serve({ bytes: Buffer.from('id,message,line,at\n,,4,2\n,,5,\n') }))
  vendor.answerJson(statusOf(`${storage.baseUrl}/rows`))
  const due = await dueImport()
  await collect(due, providerOf([{ ...csvAtUrl, of: 'skippedLines', row: { line: '/line', column: '/at' } }]))
  const lines = await world.sql('SELECT line, "column" FROM skipped_lines WHERE import_id = $1 ORDER BY position', [
    due.id,
  ])
  expect(lines.map(({ line, column }) => [Number(line), column === null ? null : Number(column)])).toEqual([
    [4, 2],
    [5, null],
  ])
})

test('several files follow each other, each where the status has it', async () => {
  storage.answer((request, response) =>
    serve({ bytes: request.url === '/one' ? csvOf(number(0, 1_200)) : csvOf([5_000]) })(request, response),
  )
  vendor.answerJson({ status: 'done', one: `${storage.baseUrl}/one`, none: '', two: `${storage.baseUrl}/two` })
  const due = await dueImport()
  await collect(due, providerOf(['/one', '/none', '/two'].map((url) => ({ ...csvAtUrl, url }))))
  expect(await idsOf(due.id)).toEqual([...number(0, 1_200), 5_000].map(String))
  expect(vendor.seen).toHaveLength(1)
})
