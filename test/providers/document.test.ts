// Owns providers that are documents: the language, what it refuses, and that the shipped ones read their examples.
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ZodError } from 'zod'
import { fieldErrors, issueText } from '../../src/api/validation.ts'
import { parseJson } from '../../src/base/json.ts'
import { fingerprintOf } from '../../src/imports/fingerprint.ts'
import { askDetails, askStatus } from '../../src/providers/ask.ts'
import { firstPage, type Provider } from '../../src/providers/contract.ts'
import { checkWholeDocument, samplesOf } from '../../src/providers/document/check-document.ts'
import type { ProviderDocument } from '../../src/providers/document/document.ts'
import { runExamples } from '../../src/providers/document/examples.ts'
import { createDocumentProvider } from '../../src/providers/document/provider.ts'
import { documentSchema } from '../../src/providers/document/read-document.ts'
import { unheldParts } from '../../src/providers/document/unheld.ts'
import { shipped } from '../../src/providers/index.ts'
import { nobodysJobId } from '../../src/providers/job-id.ts'
import { noSignal, sendJson, startClient, startVendor, testNow, type Vendor } from './vendor.ts'

type Json = Record<string, unknown>

/** A small document; `changes` replace parts at the top. */
const small = (changes: Json = {}): Json => ({
  format: 1,
  name: 'small',
  title: 'Small',
  baseUrl: 'https://api.example.com',
  credentials: { apiKey: {} },
  auth: { kind: 'header', name: 'x-key', value: '{credentials.apiKey}' },
  errorCode: '/error/code',
  errorMessage: '/error/message',
  status: {
    request: { path: '/jobs/{job}' },
    state: {
      from: '/state',
      map: { waiting: 'queued', working: 'running', done: 'succeeded', broken: 'failed' },
      refine: [{ from: 'succeeded', to: 'partial', when: { gt: ['/bad', 0] } }],
    },
    rows: { total: '/all', failed: '/bad' },
    progress: { fraction: ['/at', '/all'] },
    message: '/note',
    finishedAt: '/end',
    needs: ['/bad'],
  },
  ...changes,
})

const several = (names: string[], more: Json = {}) => ({
  details: names.map((name) => ({
    kind: 'pages',
    when: { gt: [`/${name}`, 0] },
    request: { path: `/jobs/{job}/${name}` },
    page: { kind: 'cursor', next: '/next', param: 'after' },
    rows: '/rows',
    row: { recordId: '/id' },
    ...more,
  })),
})

const pagesBy = (more: Json) => several(['a'], { page: { kind: 'page', param: 'page', ...more } })

const filesAt = (host: string) => ({
  details: [{ kind: 'file', url: '/file', hosts: [host], format: 'jsonl', row: { recordId: '/id' } }],
})

const whenAnyFailed = { from: ['succeeded', 'partial'], to: 'failed', when: { gt: ['/failed', 0] } }

function read(given: unknown): ProviderDocument {
  return documentSchema.parse(given)
}

function provider(changes: Json = {}): Provider {
  return createDocumentProvider(read(small(changes))) as Provider
}

/** The fields that are refused. */
function refused(given: unknown): Record<string, string> {
  const { error } = documentSchema.safeParse(given, { error: issueText })
  return Object.fromEntries(fieldErrors(error).map(({ field, message }) => [field, message]))
}

const status = (changes: Json): Json => ({ status: { ...(small().status as Json), ...changes } })

let vendor: Vendor
let asker: ReturnType<typeof startClient>

beforeAll(async () => {
  vendor = await startVendor()
  asker = startClient()
})
beforeEach(() => {
  vendor.seen.length = 0
})
afterAll(async () => {
  await Promise.all([vendor.close(), asker.close()])
})

const target = (credentials: Json = { apiKey: 'secret-key' }, settings: Json = {}) => ({
  baseUrl: vendor.baseUrl,
  credentials,
  settings,
})

describe.each([...shipped])('the shipped document %s', (name, { given, provider: own }) => {
  const document = read(given)

  it('reads its examples', () => {
    expect(document.examples.length).toBeGreaterThan(0)
    expect(runExamples(document, own, testNow)).toEqual([])
  })

  it.runIf(name === 'mailchimp')('announces all operations, since its archive has them all', () => {
    const url = 'https://mailchimp-api-batch.s3.amazonaws.com/123abc-response.tar.gz'
    const counts = { total_operations: 3, finished_operations: 3, errored_operations: 1 }
    const [archive] = own.files?.of({ status: 'finished', ...counts, response_body_url: url }) ?? []
    expect(archive?.announced).toBe(3)
  })

  it('means the same by a word in other letters and between blanks', () => {
    const samples = samplesOf(document).map(({ body, head }) => ({ body, head, ...own.readStatus(body, head) }))
    for (const { body, head, report } of samples) {
      const word = report.providerStatus
      if (word === null) continue
      const swapped = [...word].map((char) => (char === char.toUpperCase() ? char.toLowerCase() : char.toUpperCase()))
      const odd = ` ${swapped.join('')} `
      const answer = JSON.parse(JSON.stringify(body, (_key, value) => (value === word ? odd : value)))
      expect([word, own.readStatus(answer, head).report.state]).toEqual([word, report.state])
    }
  })

  it('has a case for every state that it maps to', () => {
    const { map = {}, rules = [], refine = [] } = document.status.state
    const summary = document.summary?.state?.refine ?? []
    const told = [...Object.values(map), ...[...rules, ...refine, ...summary].map(({ to }) => to)]
    const shown = document.examples.map(({ report }) => report?.state)
    expect([...new Set(told)].filter((state) => !shown.includes(state))).toEqual([])
  })

  it('has a case for every kind of error that it tells apart, and for every list of rows', () => {
    const told = document.errors.map(({ kind }) => (kind === 'refresh' ? 'unauthorized' : kind))
    const kinds = document.examples.map(({ error }) => (typeof error === 'object' ? error.kind : error))
    expect(kinds).toEqual(expect.arrayContaining(told))

    const shown = document.examples.flatMap(({ of, file = 0, list, details }) => {
      if (of === 'file') return `file ${file}`
      return of === 'details' ? `pages ${list}` : details ? 'inline 0' : []
    })
    const seen = { file: 0, pages: 0, inline: 0 }
    const lists = document.details.map(({ kind }) => `${kind} ${kind === 'inline' ? 0 : seen[kind]++}`)
    expect(shown).toEqual(expect.arrayContaining(lists))
  })

  it('keeps an answer, less its lists, and refuses only by ZodError', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (body) => {
        for (const reading of [
          () => own.readStatus(body, { status: 200, headers: {}, settings: {} }),
          () => own.details?.read(body, firstPage),
          () => own.readError(body),
          () => own.classify?.({ status: 200, headers: {} }, body, testNow),
        ])
          try {
            reading()
          } catch (error) {
            expect(error).toBeInstanceOf(ZodError)
          }
      }),
    )
  })

  it.each(['SOMETHING_NEW', 'constructor', '__proto__', 'toString'])('knows no status %j', (word) => {
    const { from } = document.status.state
    if (typeof from !== 'string') return
    const body = from
      .split('/')
      .slice(1)
      .reduceRight<unknown>((inner, key) => ({ [key]: inner }), word)
    const { report } = own.readStatus(body, { status: 200, headers: {}, settings: {} })
    expect(report).toMatchObject({ state: 'unmapped', providerStatus: word })
  })
})

describe('a document', () => {
  it('asks and reads like a file', async () => {
    vendor.answerJson({ state: ' DONE ', all: '4', bad: 1, at: 3, note: 'Ended', end: '2026-11-22T11:00:00Z' })
    const { report, missing, details } = await askStatus(asker.client, provider(), target(), 'a/b=', {
      signal: noSignal(),
    })
    expect(vendor.seen).toEqual([
      { method: 'GET', target: '/jobs/a%2Fb%3D', headers: expect.objectContaining({ 'x-key': 'secret-key' }) },
    ])
    expect(report).toMatchObject({
      state: 'partial',
      providerStatus: ' DONE ',
      progress: 0.75,
      message: 'Ended',
      rows: { total: 4, failed: 1, succeeded: null },
      finishedAt: new Date('2026-11-22T11:00:00Z'),
    })
    expect([missing, details]).toEqual([null, null])
  })

  it('says what a success lacks, and which count it can’t read', () => {
    expect(provider().readStatus({ state: 'done' }).missing).toBe('bad is missing.')
    expect(provider().readStatus({ state: 'broken', bad: -1 })).toMatchObject({
      report: { state: 'failed', rows: { failed: null } },
      missing: expect.stringContaining('failed must be a whole number'),
    })
    expect(provider().readStatus({ state: 'working' }).missing).toBeNull()
  })

  it('leaves volatile fields of any depth out of what makes two answers equal', () => {
    const own = provider({ volatileFields: ['/task/age', '/parts/-/seen', '/a~1b/~0'] })
    const print = (body: Json) => fingerprintOf(own.readStatus({ state: 'working', ...body }).report, own)
    const body = (at: number) => ({ task: { age: at, id: 1 }, parts: [{ n: 1, seen: at }], 'a/b': { '~': at } })
    expect(print(body(1))).toBe(print(body(2)))
    for (const other of [{ task: { age: 1, id: 2 } }, { parts: [{ n: 2, seen: 1 }] }, { seen: 1 }])
      expect(print({ ...body(1), ...other })).not.toBe(print(body(1)))
  })

  it('makes a POST, with placeholders only as whole texts', async () => {
    const query = 'query($id: ID!) { job(id: $id) { state } }'
    const request = { method: 'POST', path: '/graphql', body: { query, variables: { id: '{job}', n: 1 } } }
    vendor.answer((incoming, response) => {
      let text = ''
      incoming.on('data', (chunk) => {
        text += chunk
      })
      incoming.on('end', () => sendJson(response, { state: 'working', note: text }))
    })
    const { report } = await askStatus(asker.client, provider(status({ request })), target(), '"}', {
      signal: noSignal(),
    })
    expect(vendor.seen[0]?.method).toBe('POST')
    expect(JSON.parse(report.message ?? '')).toEqual({ query, variables: { id: '"}', n: 1 } })
  })

  it('refuses a file’s address that is no text', () => {
    const own = provider({ details: [{ kind: 'file', url: '/file', format: 'csv', row: { recordId: '/id' } }] })
    expect(() => own.files?.of({ state: 'done', bad: 0, file: { a: 1 } })).toThrow(ZodError)
  })

  it('finds an error within a 2xx, and reads how long to wait', async () => {
    const own = provider({
      errors: [{ when: { equals: ['/error/code', 606] }, kind: 'rate_limited' }],
      retryAfter: [{ header: 'X-Reset', form: 'epochS' }],
    })
    const resetAt = Math.floor(testNow.getTime() / 1_000) + 30
    vendor.answerJson({ error: { code: '606', message: 'Too many, secret-key' } }, 200, {
      'x-reset': String(resetAt),
      date: testNow.toUTCString(),
    })
    await expect(askStatus(asker.client, own, target(), '7', { signal: noSignal() })).rejects.toMatchObject({
      kind: 'rate_limited',
      status: 200,
      code: '606',
      message: 'The provider answered 200: Too many, *** (606)',
      retryAfterMs: 30_000,
    })
  })

  it.each([
    ['a segment', { kind: 'segment' }, '/jobs/{job}', 'a/b', '/jobs/a%2Fb'],
    ['a path', { kind: 'path' }, '/v1/{job}', 'projects/p/operations/1 2', '/v1/projects/p/operations/1%202'],
  ])('puts an id into the path that is %s', async (_what, job, path, jobId, asked) => {
    vendor.answerJson({ state: 'working' })
    await askStatus(asker.client, provider({ job, ...status({ request: { path } }) }), target(), jobId, {
      signal: noSignal(),
    })
    expect(vendor.seen[0]?.target).toBe(asked)
  })

  it.each(['segment', 'path'])('asks about an id of the kind %s that is as long as any may be', async (kind) => {
    vendor.answerJson({ state: 'working' })
    const own = provider({ job: { kind, maxLength: 2_000 } })
    const jobId = 'j'.repeat(2_000)
    await askStatus(asker.client, own, target(), jobId, { signal: noSignal() })
    expect(vendor.seen.map((seen) => seen.target)).toEqual([`/jobs/${jobId}`])
  })

  it.each([
    ['salesforce', /^750\w{15}$/],
    ['hubspot', /^\d+$/],
    ['shopify', /^gid:\/\/shopify\/BulkOperation\/\d+$/],
    ['auth0', /^job_\w{16}$/],
    ['marketo', /^\d+$/],
    ['elasticsearch', /^[\w-]{22}:\d+$/],
    ['algolia', /^\d+$/],
  ] as const)('tries a connection to %s by an id of the form %s, since others are refused', (name, form) => {
    const jobId = shipped.get(name)?.provider.jobId
    expect(nobodysJobId('random', { jobId, baseUrl: vendor.baseUrl })).toMatch(form)
  })

  it('takes an id that is a URL below the base URL, and no other', async () => {
    vendor.answerJson({ state: 'working' })
    const own = provider({ job: { kind: 'url', maxLength: 2_000 }, ...status({ request: { path: '{job}' } }) })
    const ask = (jobId: string) =>
      askStatus(asker.client, own, { ...target(), baseUrl: `${vendor.baseUrl}/base/` }, jobId, { signal: noSignal() })
    await ask(`${vendor.baseUrl}/base/ops/1?api-version=2`)
    expect(vendor.seen[0]?.target).toBe('/base/ops/1?api-version=2')
    const others = [
      'https://evil.example/base/ops/1',
      `${vendor.baseUrl}/other`,
      `${vendor.baseUrl}/base/../x`,
      '/base/1',
    ]
    for (const jobId of [...others, `${vendor.baseUrl.replace('http://', 'http://user@')}/base/1`])
      await expect(ask(jobId)).rejects.toMatchObject({ kind: 'not_found', status: null })
    expect(vendor.seen).toHaveLength(1)
  })

  describe('whose answers say where the next poll goes', () => {
    const own = () =>
      provider({
        job: { kind: 'url', maxLength: 2_000 },
        ...status({ request: { path: '{job}' }, pollUrl: { url: { header: 'operation-location' } } }),
      })
    const ask = (at: string | null) =>
      askStatus(
        asker.client,
        own(),
        { ...target(), baseUrl: `${vendor.baseUrl}/base` },
        `${vendor.baseUrl}/base/ops/1?v=2`,
        {
          signal: noSignal(),
          at,
        },
      )
    const named = async (url: string, at: string | null = null) => {
      vendor.answerJson({ state: 'working' }, 200, { 'operation-location': url })
      const { pollUrl, pollUrlProblem, report } = await ask(at)
      expect(report.state).toBe('running')
      return { pollUrl, pollUrlProblem }
    }

    it('is asked there, with its query as it is', async () => {
      vendor.answerJson({ state: 'working' })
      await ask(`${vendor.baseUrl}/base/status/7?t=a%2Bb&s=~`)
      expect(vendor.seen).toMatchObject([{ target: '/base/status/7?t=a%2Bb&s=~', headers: { 'x-key': 'secret-key' } }])
    })

    it.each([
      ['absolute', '/base/status/7?t=1', '/base/status/7?t=1'],
      ['relative to the last one', '7?t=1', '/base/ops/7?t=1'],
      ['the same again', '/base/ops/1?v=2', null],
    ])('takes one that is %s', async (_what, url, path) => {
      const absolute = url.startsWith('/') ? `${vendor.baseUrl}${url}` : url
      const pollUrl = path === null ? null : `${vendor.baseUrl}${path}`
      expect(await named(absolute)).toEqual({ pollUrl, pollUrlProblem: null })
    })

    it.each([
      ['another origin', 'https://evil.example/base/ops/1?secret=1', 'leads to evil.example,'],
      ['another port', 'http://127.0.0.1:1/base/ops/1', 'leads to 127.0.0.1:1,'],
      ['what isn’t below the base URL', '/other/ops/1', 'isn’t below the base URL,'],
      ['a way out of it', '../../other', 'isn’t below the base URL,'],
      ['no URL', 'http://[', 'is no URL,'],
      ['a script', 'javascript:alert(1)', 'leads to no host,'],
      ['one that is too long', `/base/${'x'.repeat(9_000)}`, 'is no URL,'],
    ])('ignores %s, and says why', async (_what, url, why) => {
      const { pollUrl, pollUrlProblem } = await named(url)
      expect(pollUrl).toBeNull()
      expect(pollUrlProblem).toBe(
        `The provider named an address for the next poll that ${why} so the one before is asked again.`,
      )
    })

    it('is asked by its id where the base URL is another one by now', async () => {
      vendor.answerJson({ state: 'working' })
      for (const at of ['https://other.example/base/ops/9', `${vendor.baseUrl}/elsewhere`]) await ask(at)
      expect(vendor.seen.map(({ target }) => target)).toEqual(['/base/ops/1?v=2', '/base/ops/1?v=2'])
    })

    it('says nothing of it once it is over', () => {
      const head = { status: 200, headers: { 'operation-location': '/base/x' } }
      expect(own().readStatus({ state: 'working' }, head).pollUrl).toBe('/base/x')
      expect(own().readStatus({ state: 'done', bad: 0 }, head)).not.toHaveProperty('pollUrl')
    })
  })

  it('signs in with the first way whose credentials are there', async () => {
    const own = provider({
      credentials: [{ user: { kind: 'text' }, key: { kind: 'text' } }, { token: {} }],
      auth: [
        { kind: 'basic', user: '{credentials.user}/token', password: '{credentials.key}' },
        { kind: 'bearer', token: '{credentials.token}' },
      ],
    })
    vendor.answerJson({ state: 'working' })
    for (const credentials of [{ user: 'ä', key: 'k' }, { token: 't' }])
      await askStatus(asker.client, own, target(credentials), '7', { signal: noSignal() })
    expect(vendor.seen.map(({ headers }) => headers.authorization)).toEqual([
      `Basic ${Buffer.from('ä/token:k').toString('base64')}`,
      'Bearer t',
    ])
    expect(own.credentialsSchema.safeParse({ user: 'ä' }).success).toBe(false)
    expect(own.credentialsSchema.safeParse({ user: 'a', key: 'k', token: 't' }).success).toBe(false)
  })

  const paged = (page: Json) =>
    provider({
      details: [
        {
          kind: 'pages',
          request: { path: '/jobs/{job}/errors', query: { size: '2' } },
          page,
          rows: '/rows',
          row: { recordId: '/id', line: '/line', code: '/code', message: '/why/*/text' },
        },
      ],
    })

  it('reads lines and columns that count from 1, and what is 0 as none in particular', () => {
    const own = paged({ kind: 'none' })
    const rows = [{ line: 1 }, { line: 0 }, { line: '7' }, { line: -1 }, {}]
    expect(own.details?.read({ rows }, firstPage).rowResults.map(({ line }) => line)).toEqual([1, null, 7, null, null])
  })

  it('reads several lists one after the other, but for those that the job doesn’t have', async () => {
    const own = provider(several(['a', 'b', 'c']))
    const answers = {
      '/jobs/7/a': { rows: [{ id: 1 }], next: 'x' },
      '/jobs/7/a?after=x': { rows: [{ id: 2 }], next: 'x' }, // as some vendors say that it was the last one
      '/jobs/7/b': { rows: [{ id: 3 }], next: '' },
      '/jobs/7/c': { rows: [{ id: 4 }] },
    }
    expect(await walk(own, answers)).toEqual(['1', '2', '3', '4'])
    const begin = (body: Json) => own.details?.begin?.({ state: 'partial', body }, {}) ?? null
    expect(await walk(own, answers, begin({ a: 1, c: 1 }) ?? '')).toEqual(['1', '2', '4'])
    expect(await walk(own, answers, begin({ b: 1 }) ?? '')).toEqual(['3'])
    expect(begin({ a: 0 })).toBeNull()
    expect(own.readStatus({ state: 'done', bad: 1, c: 1 }).details).toMatchObject({ next: firstPage })
    expect(own.readStatus({ state: 'done', bad: 1 }).details).toBeNull()
  })

  it('runs examples of each list, and of no other', () => {
    const example = (list: number, rows: unknown) => ({
      of: 'details',
      list,
      answer: { body: rows },
      details: { next: 'x' },
    })
    const own = (list: number) => ({
      ...small(several(['a', 'b'])),
      examples: [example(list, { rows: [], next: 'x' })],
    })
    for (const list of [0, 1]) expect(checkWholeDocument(own(list), testNow).problems).toEqual([])
    expect(checkWholeDocument(own(2), testNow).problems).toMatchObject([{ field: 'examples.0.answer' }])
    expect(refused(small(several(['a', 'b'], { announced: '/all' })))).toEqual({
      'details.0.announced': 'must not be given, since several lists have pages',
      'details.1.announced': 'must not be given, since several lists have pages',
    })
  })

  async function walk(own: Provider, answers: Record<string, unknown>, from = firstPage): Promise<(string | null)[]> {
    vendor.answer((request, response) => sendJson(response, answers[decodeURIComponent(request.url ?? '')] ?? {}, 200))
    const ids: (string | null)[] = []
    for (let cursor: string | null = from, pages = 0; cursor !== null && pages < 9; pages++) {
      const page = await askDetails(asker.client, own, target(), '7', cursor, { signal: noSignal() })
      ids.push(...page.rowResults.map(({ recordId }) => recordId))
      cursor = page.next
    }
    return ids
  }

  it.each<[string, Json, Record<string, unknown>]>([
    [
      'a cursor',
      { kind: 'cursor', next: '/next', param: 'after' },
      {
        '/jobs/7/errors?size=2': { rows: [{ id: 1 }, { id: 2 }], next: 'b=' },
        '/jobs/7/errors?size=2&after=b=': { rows: [{ id: 3 }] },
      },
    ],
    [
      'a link',
      { kind: 'link', next: '/next', param: 'page[after]' },
      {
        '/jobs/7/errors?size=2': { rows: [{ id: 1 }, { id: 2 }], next: 'https://x.example/y?page%5Bafter%5D=c%20d' },
        '/jobs/7/errors?size=2&page[after]=c d': { rows: [{ id: 3 }], next: null },
      },
    ],
    [
      'counted pages up to an empty one',
      { kind: 'page', param: 'page' },
      {
        '/jobs/7/errors?size=2&page=1': { rows: [{ id: 1 }, { id: 2 }] },
        '/jobs/7/errors?size=2&page=2': { rows: [{ id: 3 }] },
        '/jobs/7/errors?size=2&page=3': { rows: [] },
      },
    ],
    [
      'counted pages up to a total',
      { kind: 'page', param: 'page', start: 0, total: '/pages' },
      {
        '/jobs/7/errors?size=2&page=0': { rows: [{ id: 1 }, { id: 2 }], pages: 2 },
        '/jobs/7/errors?size=2&page=1': { rows: [{ id: 3 }], pages: 2 },
      },
    ],
    [
      'offsets',
      { kind: 'offset', param: 'from', size: 2 },
      {
        '/jobs/7/errors?size=2&from=0': { rows: [{ id: 1 }, { id: 2 }] },
        '/jobs/7/errors?size=2&from=2': { rows: [{ id: 3 }] },
      },
    ],
  ])('goes through pages by %s', async (_what, page, answers) => {
    expect(await walk(paged(page), answers)).toEqual(['1', '2', '3'])
  })

  it.each([
    [{}, 2, '2'],
    [{ stop: 'empty' }, 2, '2'],
    [{ stop: 'empty' }, 0, null],
    [{ stop: 'total', total: '/pages' }, 2, '2'],
    [{ stop: 'total', total: '/pages', start: 0 }, 2, '1'],
    [{ stop: 'total', total: '/of' }, 2, null],
  ])('counts pages by %j, after %i rows', (form, rows, next) => {
    const body = { rows: Array.from({ length: rows }, () => ({})), pages: 2, of: 1 }
    expect(provider(pagesBy(form)).details?.read(body, firstPage).next).toBe(next)
  })

  it.each([
    [{}, 'newer'],
    [{ rotates: true }, 'newer'],
    [{ rotates: false }, null],
  ])('takes the refresh token of an answer by %j', (form, expected) => {
    const own = provider({
      credentials: { id: {}, secret: {}, first: {} },
      auth: {
        ...{ kind: 'oauth2', grant: 'refreshToken', tokenUrl: '/token', clientId: '{credentials.id}' },
        ...{ clientSecret: '{credentials.secret}', refreshToken: '{credentials.first}', ...form },
      },
    })
    const job = { jobId: '1', credentials: { id: 'i', secret: 's', first: 'f' }, settings: {} }
    expect(own.tokenRequest?.(job, null)?.readRefreshToken({ refresh_token: 'newer' })).toBe(expected)
  })

  it('reads a row, and refuses a page without its list', () => {
    const { details } = paged({ kind: 'none' })
    const row = { id: 12345678901234567890n.toString(), line: '4', code: 7, why: [{ text: 'a' }, { text: 'b' }, {}] }
    expect(details?.read({ rows: [row, null] }, firstPage)).toEqual({
      skippedLines: [],
      rowResults: [
        {
          recordId: row.id,
          created: null,
          existing: null,
          line: 4,
          column: null,
          error: { code: '7', message: 'a; b' },
        },
        {
          recordId: null,
          created: null,
          existing: null,
          line: null,
          column: null,
          error: { code: null, message: null },
        },
      ],
      next: null,
    })
    expect(() => details?.read({}, firstPage)).toThrow(ZodError)
    expect(() => details?.read({ rows: ['text'] }, firstPage)).toThrow(ZodError)
  })
})

describe('values and conditions', () => {
  const readBy = (value: unknown, body: unknown, settings: Json = {}) =>
    provider({ ...status({ message: value }), settings: { pick: { optional: true, kind: 'pointer' } } }).readStatus(
      { state: 'working', ...(body as Json) },
      { status: 200, headers: { 'x-a': 'b' }, settings },
    ).report.message

  it.each<[string, unknown, Json, string | null]>([
    ['a pointer', '/a/0/b~1c', { a: [{ 'b/c': 1 }] }, '1'],
    ['a pointer past the end', '/a/1', { a: ['x'] }, null],
    ['an index that is none', '/a/01', { a: ['x', 'y'] }, null],
    ['the length of a list', '/a/length', { a: ['x'] }, null],
    ['an inherited property', '/a/constructor/name', { a: {} }, null],
    ['a prototype', '/__proto__/toString', {}, null],
    ['each of a list', '/a/*/b', { a: [{ b: 1 }, {}, { b: 2 }] }, '1; 2'],
    ['the first that is there', { first: ['/x', '/y', '/z'] }, { x: null, y: '', z: 0 }, '0'],
    ['a sum', { sum: ['/a', '/b/*/n'] }, { a: '1', b: [{ n: 2 }, { n: 3 }] }, '6'],
    ['a sum with an unknown', { sum: ['/a', '/b'] }, { a: 1 }, null],
    ['a sum of a list with an element that lacks it', { sum: ['/b/*/n'] }, { b: [{ n: 2 }, {}] }, null],
    ['a sum of a list with an element that is null', { sum: ['/b/*/n'] }, { b: [{ n: 2 }, { n: null }] }, null],
    ['a sum of nothing', { sum: ['/b/*/n'] }, { b: [] }, '0'],
    ['a difference', { minus: ['/a', '/b'] }, { a: 5, b: 2 }, '3'],
    ['a part of nothing', { fraction: ['/a', '/b'] }, { a: 5, b: 0 }, null],
    ['a percentage', { percent: '/a' }, { a: 40 }, '0.4'],
    ['a count', { count: '/a' }, { a: [1, 2] }, '2'],
    ['a count of some', { count: '/a', where: { exists: '/bad' } }, { a: [{ bad: 1 }, {}] }, '1'],
    ['a constant', { const: 'x' }, {}, 'x'],
    ['a parameter', { param: ['/u', 'p'] }, { u: '/x?p=a%20b' }, 'a b'],
    ['the last segment', { lastSegment: '/u' }, { u: 'a/b/c' }, 'c'],
    ['JSON in a text', { json: '/j', at: '/k' }, { j: '{"k":"v"}' }, 'v'],
    ['no JSON in a text', { json: '/j', at: '/k' }, { j: '{' }, null],
    ['a header', { header: 'X-A' }, {}, 'b'],
    ['a setting that is a pointer', { setting: 'pick' }, { deep: { er: 'v' } }, 'v'],
    ['seconds since 1970', { first: ['/t'], as: 'epochS' }, { t: 'x' }, null],
  ])('reads %s', (_what, value, body, read) => {
    expect(readBy(value, body, { pick: '/deep/er' })).toBe(read)
  })

  const holds = (when: unknown, body: Json, settings: Json = {}) =>
    provider({
      ...status({ state: { rules: [{ when, to: 'running' }] } }),
      settings: { kind: { default: 'a' }, words: { kind: 'list', optional: true } },
    }).readStatus(body, { status: 202, headers: {}, settings }).report.state === 'running'

  it.each<[unknown, Json, boolean]>([
    [{ exists: '/a' }, { a: 0 }, true],
    [{ exists: '/a' }, { a: '' }, false],
    [{ absent: '/a' }, { a: null }, true],
    [{ notEmpty: '/a' }, { a: [] }, false],
    [{ notEmpty: '/a' }, { a: { b: 1 } }, true],
    [{ equals: ['/a', '601'] }, { a: 601 }, true],
    [{ equals: ['/a', null] }, {}, true],
    [{ equals: ['/a', 'X'], ignoreCase: true }, { a: 'x' }, true],
    [{ equals: ['/a', 'X'] }, { a: 'x' }, false],
    [{ in: ['/a', [1, 'b']] }, { a: 'b' }, true],
    [{ in: ['/a', { setting: 'words' }] }, { a: 'up' }, true],
    [{ prefix: ['/a', 'un'], suffix: ['/a', 'ing'] }, { a: 'unwinding' }, true],
    [{ gt: ['/a', 3] }, { a: '4' }, true],
    [{ lt: ['/a', '/b'] }, { a: 4, b: 4 }, false],
    [{ gt: ['/a', 3] }, {}, false],
    [{ status: [200, 202] }, {}, true],
    [{ setting: ['kind', ['a']] }, {}, true],
    [{ all: [{ exists: '/a' }, { exists: '/b' }] }, { a: 1 }, false],
    [{ any: [{ exists: '/a' }, { exists: '/b' }] }, { a: 1 }, true],
    [{ not: { exists: '/a' } }, {}, true],
  ])('%j of %j is %j', (when, body, expected) => {
    expect(holds(when, body, { words: ['up'] })).toBe(expected)
  })
})

describe('a document is refused', () => {
  it('for a setting that it doesn’t have, and not for a word of the vendor’s that is spelled like one', () => {
    const map = { setting: 'queued', done: 'succeeded' }
    expect(refused(small(status({ state: { from: '/state', map } })))).toEqual({})
    expect(refused(small(status({ message: { setting: 'nothing' } })))).not.toEqual({})
  })

  it.each<[string, Json, string]>([
    ['an unknown key', { colour: 'red' }, 'colour'],
    ['another format', { format: 2 }, 'format'],
    ['a name in capitals', { name: 'Small' }, 'name'],
    ['a wrong pointer', status({ message: 'note' }), 'status.message'],
    ['two wildcards', status({ message: '/a/*/b/*' }), 'status.message'],
    ['a wrong pointer inside', status({ rows: { total: { sum: ['/a', 'b'] } } }), 'status.rows.total.sum.1'],
    ['an unknown operation', status({ message: { eval: '1' } }), 'status.message.eval'],
    ['two operations', status({ message: { first: ['/a'], count: '/b' } }), 'status.message'],
    ['a state that doesn’t exist', status({ state: { from: '/s', map: { a: 'finished' } } }), 'status.state.map.a'],
    [
      'a word in two spellings',
      status({ state: { from: '/s', map: { a: 'running', A: 'failed' } } }),
      'status.state.map',
    ],
    ['a condition of nothing', status({ state: { rules: [{ when: {}, to: 'failed' }] } }), 'status.state.rules.0.when'],
    [
      'a pattern',
      status({ state: { rules: [{ when: { matches: ['/a', '.*'] }, to: 'failed' }] } }),
      'status.state.rules.0.when.matches',
    ],
    ['a placeholder of nothing', status({ request: { path: '/jobs/{jobs}' } }), 'status.request.path'],
    ['a setting that isn’t there', status({ request: { path: '/{settings.x}/{job}' } }), 'status.request.path'],
    ['a secret in a path', status({ request: { path: '/{credentials.apiKey}/{job}' } }), 'status.request.path'],
    [
      'a secret in a query',
      status({ request: { path: '/{job}', query: { k: '{credentials.apiKey}' } } }),
      'status.request.query.k',
    ],
    [
      'a secret in a body',
      status({ request: { method: 'POST', path: '/{job}', body: { k: '{credentials.apiKey}' } } }),
      'status.request.body.k',
    ],
    ['a request for no job in particular', status({ request: { path: '/jobs' } }), 'status.request.path'],
    [
      'a path of several without the job',
      status({ request: { path: [{ path: '/jobs/{job}' }, { path: '/jobs' }] } }),
      'status.request.path',
    ],
    ['rows of no job in particular', several(['a'], { request: { path: '/errors' } }), 'details.0.request.path'],
    [
      'a list of each element of a list',
      status({ rows: { total: { count: '/a', where: { gt: [{ count: '/b', where: { exists: '/c' } }, 0] } } } }),
      'status.rows.total.where',
    ],
    [
      'JSON that is the same for every row',
      status({ rows: { total: { count: { json: { const: '[0,0]' }, at: '' } } } }),
      'status.rows.total.count.json',
    ],
    ['a line break in a key', { auth: { kind: 'header', name: 'x-key', value: 'a\r\nb' } }, 'auth.value'],
    [
      'any text in a header',
      { credentials: { apiKey: { kind: 'text' } }, auth: { kind: 'bearer', token: '{credentials.apiKey}' } },
      'auth.token',
    ],
    [
      'values that no path can have',
      { settings: { a: { values: ['/a?b=c', 'b'], kind: 'path' } } },
      'settings.a.values.0',
    ],
    ['a line break in a value', { settings: { a: { values: ['a\r\nb'] } } }, 'settings.a.values.0'],
    [
      'intervals that contradict each other',
      { limits: { minIntervalMs: 5_000, maxIntervalMs: 1_000 } },
      'limits.maxIntervalMs',
    ],
    ['an interval above the usual longest', { limits: { minIntervalMs: 600_000 } }, 'limits.minIntervalMs'],
    ['a path that names a host', status({ request: { path: '//evil.example/{job}' } }), 'status.request.path'],
    ['a path that goes up', status({ request: { path: '/../{job}' } }), 'status.request.path'],
    ['a path to another host', status({ request: { path: 'https://evil.example/{job}' } }), 'status.request.path'],
    ['a wrong path of a list', status({ request: { path: [{ path: 'jobs/{job}' }] } }), 'status.request.path.0.path'],
    ['a pointer into a text', { auth: { kind: 'bearer', token: '{credentials.apiKey/key}' } }, 'auth.token'],
    ['a grant without its key', { auth: { kind: 'oauth2', grant: 'jwtBearer', tokenUrl: '/token' } }, 'auth.jwt'],
    [
      'a grant with another’s parts',
      {
        auth: {
          ...{ kind: 'oauth2', grant: 'clientCredentials', tokenUrl: '/token' },
          ...{ clientId: '{credentials.apiKey}', clientSecret: '{credentials.apiKey}' },
          jwt: { key: '{credentials.apiKey}', claims: {} },
        },
      },
      'auth.jwt',
    ],
    [
      'rotation of what no refresh gives',
      {
        auth: {
          ...{ kind: 'oauth2', grant: 'clientCredentials', tokenUrl: '/token', rotates: true },
          ...{ clientId: '{credentials.apiKey}', clientSecret: '{credentials.apiKey}' },
        },
      },
      'auth.rotates',
    ],
    ['an unknown id that is too long', { job: { maxLength: 3, unknown: 'abcd' } }, 'job.unknown'],
    ['an unknown id that no path can have', { job: { kind: 'path', unknown: 'a//b' } }, 'job.unknown'],
    [
      'an unknown URL',
      { job: { kind: 'url', unknown: 'https://api.example.com/1' }, ...status({ request: { path: '{job}' } }) },
      'job.unknown',
    ],
    ['pages that stop at a total that nobody says', pagesBy({ stop: 'total' }), 'details.0.page.stop'],
    ['pages that stop twice', pagesBy({ stop: 'empty', total: '/pages' }), 'details.0.page.stop'],
    ['files of a whole top-level domain', filesAt('.example'), 'details.0.hosts.0'],
    [
      'a token URL whose host is a credential',
      { auth: { kind: 'oauth2', grant: 'jwtBearer', tokenUrl: 'https://{credentials.apiKey}/token' } },
      'auth.tokenUrl',
    ],
    ['a header of the connection', { headers: { Host: 'evil.example' } }, 'headers.Host'],
    ['a line break in a header', { headers: { 'x-a': 'a\r\nb' } }, 'headers.x-a'],
    ['credentials that are enough for nothing', { credentials: { other: {} } }, 'credentials'],
    ['a default that isn’t allowed', { settings: { a: { default: 'x', values: ['y'] } } }, 'settings.a.default'],
    ['a base URL with a query', { baseUrl: 'https://a.example?x' }, 'baseUrl'],
    [
      'a condition on no setting',
      { errors: [{ when: { setting: ['nope', ['a']] }, kind: 'bad_request' }] },
      'errors.0.when.setting',
    ],
    [
      '300 values',
      status({ message: { first: Array.from({ length: 300 }, (_, at) => `/a${at}`) } }),
      'status.message.first',
    ],
    [
      '100 kB',
      { description: 'x'.repeat(900), examples: [{ answer: { body: 'x'.repeat(100_000) }, report: {} }] },
      'examples',
    ],
  ])('for %s', (_what, changes, field) => {
    expect(Object.keys(refused(small(changes)))).toContain(field)
  })

  it('for nesting without end, in no time', () => {
    let deep: unknown = '/a'
    for (let at = 0; at < 100_000; at++) deep = { first: [deep] }
    expect(Object.keys(refused(small(status({ message: deep }))))).toEqual(['status.message.first'])
  })

  it('for what is no object', () => {
    for (const given of [undefined, null, 7, 'text', []]) expect(documentSchema.safeParse(given).success).toBe(false)
  })

  it('for an example that fails, naming the place', () => {
    const document = read(
      small({
        examples: [
          { answer: { body: { state: 'done', bad: 0 } }, report: { state: 'succeeded', rows: { failed: 0 } } },
          { answer: { body: { state: 'done', bad: 1 } }, report: { state: 'succeeded' } },
          { answer: { status: 404 }, error: 'forbidden' },
        ],
      }),
    )
    expect(runExamples(document, createDocumentProvider(document), testNow)).toEqual([
      { path: ['examples', 1, 'report', 'state'], message: 'must be "partial", as the document reads this answer' },
      { path: ['examples', 2, 'error'], message: 'must be "not_found", as the document reads this answer' },
    ])
  })

  it('for an example that says more of an answer than is so, naming the place', () => {
    const failures = (changes: Json, example: Json) => {
      const document = read(small({ ...changes, examples: [example] }))
      return runExamples(document, createDocumentProvider(document), testNow).map(({ path, message }) => [
        path.slice(2).join('.'),
        message.split(',')[0],
      ])
    }
    const throttled = { status: 429, headers: { 'X-Reset': '9' }, body: { error: { code: 'slow', message: 'Slower' } } }
    const retryAfter = { retryAfter: [{ header: 'x-reset', form: 'seconds' }] }
    const said = { kind: 'rate_limited', code: 'slow', message: 'Slower', retryAfterMs: 9_000 }
    expect(failures(retryAfter, { answer: throttled, error: said })).toEqual([])
    expect(failures(retryAfter, { answer: throttled, error: { ...said, code: null, retryAfterMs: 1 } })).toEqual([
      ['error.code', 'must be "slow"'],
      ['error.retryAfterMs', 'must be 9000'],
    ])
    expect(failures({}, { answer: { body: { state: 'done' } }, error: said })).toEqual([['error.kind', 'must be null']])

    const done = { body: { state: 'done', bad: 1, b: 1, file: 'https://files.example/1.csv' } }
    const lists = several(['a', 'b'])
    expect(failures(lists, { answer: done, lists: [1], missing: null })).toEqual([])
    expect(failures(lists, { answer: done, lists: [0] })).toEqual([['lists.0', 'must be 1']])
    expect(failures({}, { answer: { body: { state: 'done' } }, missing: null })).toEqual([
      ['missing', 'must be "bad is missing."'],
    ])

    const file = { kind: 'file', url: '/file', format: 'csv', announced: '/bad', row: { recordId: '/id' } }
    const details = {
      details: [{ ...file, outcome: { state: { refine: [whenAnyFailed] }, rows: { failed: '/failed' } } }],
    }
    const named = { url: done.body.file, announced: 1, unpack: 'none', format: { kind: 'csv', delimiters: [','] } }
    expect(failures(details, { answer: done, files: [named] })).toEqual([])
    expect(failures(details, { answer: done, files: [{ ...named, announced: 2 }] })).toEqual([
      ['files.0.announced', 'must be 1'],
    ])
    const rows = { of: 'file', status: done.body, answer: { body: 'id\n1\n2\n' } }
    expect(failures(details, { ...rows, report: { state: 'failed', rows: { failed: 2 } } })).toEqual([])
    expect(failures(details, { ...rows, report: { rows: { failed: 1 } } })).toEqual([
      ['report.rows.failed', 'must be 2'],
    ])
  })
})

describe('the parts that no example holds', () => {
  const unheld = (examples: Json[], changes: Json = {}) =>
    unheldParts(small({ ...changes, examples }), testNow).map((path) => path.join('.'))
  const over = { state: 'done', all: 4, bad: 0, at: 4, note: 'Ended', end: '2026-11-22T11:00:00Z' }
  const told = {
    state: 'succeeded',
    rows: { total: 4, failed: 0 },
    progress: 1,
    message: 'Ended',
    finishedAt: over.end,
  }
  const refused = { answer: { status: 404, body: { error: { code: 'gone', message: 'No' } } } }
  const others = [
    { answer: { body: { state: 'waiting' } }, report: { state: 'queued' } },
    { answer: { body: { state: 'working', at: 1, all: 4 } }, report: { state: 'running', progress: 0.25 } },
    { answer: { body: { state: 'broken' } }, report: { state: 'failed' } },
    { answer: { body: { state: 'done' } }, missing: 'bad is missing.' },
    { answer: { body: { ...over, bad: 1 } }, report: { state: 'partial' } },
    { ...refused, error: { kind: 'not_found', code: 'gone', message: 'No' } },
  ]

  it('are none where each would be missed', () => {
    expect(unheld([{ answer: { body: over }, report: told }, ...others])).toEqual([])
  })

  it('are told from the outside in, and words one by one', () => {
    const { message: _message, ...less } = told
    expect(unheld([{ answer: { body: over }, report: less }, ...others.slice(1)])).toEqual([
      'status.state.map.waiting',
      'status.message',
    ])
    expect(unheld([])).toEqual([
      ...['waiting', 'working', 'done', 'broken'].map((word) => `status.state.map.${word}`),
      'status.state.refine',
      'status.rows',
      'status.progress',
      'status.message',
      'status.finishedAt',
      'status.needs',
      'errorCode',
      'errorMessage',
    ])
  })

  it('are whole numbers that JSON keeps, too', () => {
    const raw = parseJson('[9007199254740993]') as unknown[]
    expect(
      unheld([{ ...refused, error: 'not_found' }], {
        volatileFields: ['/a'],
        errors: [{ when: { in: ['/n', raw] }, kind: 'rate_limited' }],
      }),
    ).toContain('errors')
  })
})

describe('documents and answers of all kinds', () => {
  const word = fc.constantFrom('a', 'b', '__proto__', 'constructor', '0', '*', 'state', 'toString')
  const pointer = fc.array(word, { maxLength: 4 }).map((parts) => parts.map((part) => `/${part}`).join(''))
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      pointer,
      fc.record({ first: fc.array(tie('value'), { minLength: 1, maxLength: 3 }) }),
      fc.record({ sum: fc.array(tie('value'), { minLength: 1, maxLength: 3 }) }),
      fc.record({ minus: fc.tuple(tie('value'), tie('value')) }),
      fc.record({ percent: tie('value') }),
      fc.record({ count: tie('value') }),
      fc.record({ lastSegment: tie('value') }),
      fc.record({ json: tie('value'), at: pointer }),
      fc.record({ param: fc.tuple(tie('value'), word) }),
      fc.record({ first: fc.tuple(tie('value')), as: fc.constantFrom('count', 'text', 'epochS', 'flag') }),
      fc.jsonValue({ maxDepth: 2 }),
    ),
  }))
  const answer = fc.jsonValue({ maxDepth: 4 }).map((body) => ({ ...(body as Json), ['__proto__']: body }))

  it('end at once, as a report or a ZodError, and never reach a prototype', () => {
    let read = 0
    fc.assert(
      fc.property(value, value, answer, (message, total, body) => {
        const given = small({
          ...status({ message, rows: { total }, needs: [] }),
          details: [{ kind: 'inline', rows: '/a', row: { message } }],
        })
        const { data, error } = documentSchema.safeParse(given, { error: issueText })
        if (error) return void expect(fieldErrors(error).every(({ field }) => field !== '')).toBe(true)
        const own = createDocumentProvider(data)
        try {
          const { report } = own.readStatus({ state: 'done', ...body }, { status: 200, headers: {}, settings: {} })
          expect(report.message === null || typeof report.message === 'string').toBe(true)
          expect(report.message ?? '').not.toMatch(/native code|\[object/)
          expect(report.rows.total === null || Number.isSafeInteger(report.rows.total)).toBe(true)
          read++
        } catch (failure) {
          expect(failure).toBeInstanceOf(ZodError)
        }
      }),
      { numRuns: 2_000 },
    )
    expect(read).toBeGreaterThan(200)
    expect(Object.prototype).not.toHaveProperty('a')
  })
})
