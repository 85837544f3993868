// Owns what every registered provider must do alike, asked at a real local server.

import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ZodError, z } from 'zod'
import { askDetails, askStatus } from '../../src/providers/ask.ts'
import { conformanceProblems, illFormed } from '../../src/providers/conformance.ts'
import {
  type FileSource,
  firstPage,
  type Provider,
  type StatusAnswer,
  unknownRows,
} from '../../src/providers/contract.ts'
import { checkWholeDocument } from '../../src/providers/document/check-document.ts'
import { ProviderError } from '../../src/providers/error.ts'
import { findProvider, providerNames, providers, shipped } from '../../src/providers/index.ts'
import { cases, fixture } from './cases.ts'
import { noSignal, startClient, startVendor, testNow, type Vendor } from './vendor.ts'

let vendor: Vendor
let other: Vendor
let asker: ReturnType<typeof startClient>
let hasty: ReturnType<typeof startClient>

beforeAll(async () => {
  vendor = await startVendor()
  other = await startVendor()
  asker = startClient({ bodyLimitBytes: 20_000 })
  hasty = startClient({ headersMs: 60, bodyMs: 60, totalMs: 150 })
})
beforeEach(() => {
  vendor.seen.length = 0
  other.seen.length = 0
})
afterAll(async () => {
  await Promise.all([vendor.close(), other.close(), asker.close(), hasty.close()])
})

describe('the registry', () => {
  it('knows every provider by its own name', () => {
    expect(providerNames.map((name) => providers[name].name)).toEqual(providerNames)
    expect(providerNames).toEqual(['cdq', 'micro', 'zilliant', 'fullstory'])
    expect(findProvider('micro')).toBe(providers.micro)
    expect(() => findProvider('toString')).toThrow(TypeError)
  })
})

describe.each(providerNames)('%s', (name) => {
  const provider = providers[name]
  const known = cases[name]

  const target = (path = '') => ({
    baseUrl: `${vendor.baseUrl}${path}`,
    credentials: known.credentials,
    settings: known.settings,
  })
  const ask = (jobId = 'job-1', client = asker.client) =>
    askStatus(client, provider, target(), jobId, { signal: noSignal() })

  async function refusal(answer: Promise<unknown>): Promise<ProviderError> {
    const error = await answer.then(
      () => null,
      (reason: unknown) => reason,
    )
    if (!(error instanceof ProviderError)) throw new TypeError('expected a ProviderError', { cause: error })
    return error
  }

  describe('asking', () => {
    it('is one GET with the credentials, below a base URL with a path and a trailing slash', async () => {
      vendor.answerJson(known.running)
      await askStatus(asker.client, provider, target('/proxy/vendor/'), 'abd123=', { signal: noSignal() })
      expect(vendor.seen).toEqual([
        {
          method: 'GET',
          target: `/proxy/vendor${known.path('abd123%3D')}`,
          headers: expect.objectContaining({ ...known.headers, host: vendor.baseUrl.slice('http://'.length) }),
        },
      ])
    })

    it.each([
      'abd123=',
      'a/b',
      '../..',
      '..%2f',
      'a?b=c#d',
      'ä ö\n',
      '%2e%2e',
      '2587c81c-bs9fc-4873-ae2f-421b292d2c2b',
    ])('puts the job id %j into one segment of the path', async (jobId) => {
      vendor.answerJson(known.running)
      await ask(jobId)
      expect(vendor.seen[0]?.target).toBe(known.path(encodeURIComponent(jobId)))
    })

    it.each(['.', '..', ''])('refuses the job id %j, which no URL can carry, without asking', async (jobId) => {
      expect(await refusal(ask(jobId))).toMatchObject({ kind: 'not_found', status: null })
      expect(vendor.seen).toEqual([])
    })
  })

  describe('reading', () => {
    const readState = (body: unknown) => provider.readStatus(body).report.state

    it("reads the vendor's own example", async () => {
      vendor.answerJson(known.example)
      const { report, retryAfterMs, summaryError } = await ask()
      expect(report.state).toBe(known.exampleState)
      expect(retryAfterMs).toBeNull()
      // This server gives the status example to the call for the report, too, which says nothing that maps.
      expect(summaryError).toBeNull()
    })

    it('keeps the answer, unknown fields too, less its row list', () => {
      const answer = { ...(known.example as object), somethingNew: { nested: [1, 'two', null] } }
      const kept = structuredClone(answer) as Record<string, unknown>
      if (known.rowList) removeAt(kept, known.rowList)
      expect(provider.readStatus(answer).report.body).toEqual(kept)
    })

    it('reads numbers written as text as the same report', () => {
      const written = provider.readStatus(numbersAsText(known.running))
      expect({ ...written.report, body: null }).toEqual({ ...provider.readStatus(known.running).report, body: null })
      expect(written.details).toEqual(provider.readStatus(known.running).details)
    })

    it.each(pathsIn(known.example))('does without %s, absent or null or an empty text', (path) => {
      for (const change of [removeAt, setAt(null), setAt('')]) {
        const answer = structuredClone(known.example) as Record<string, unknown>
        change(answer, path.split('.'))
        const result = readOrRefusal(provider, answer)
        // An empty text where a list or an object belongs is the one thing that is no answer.
        if (result === null) expect(change).not.toBe(removeAt)
        else expectWellFormed(result)
      }
    })

    it.each<(word: string) => string>([
      (word) => word.toLowerCase(),
      (word) => word.toUpperCase(),
      (word) => `${word.slice(0, 1).toUpperCase()}${word.slice(1).toLowerCase()}`,
      (word) => ` \t${word}\u00a0\n`,
    ])('knows a status in any case and between any blanks, and shows it as it came (%#)', (spell) => {
      const { state, providerStatus } = provider.readStatus(known.running).report
      const word = spell(providerStatus ?? '')
      expect(provider.readStatus(known.withStatus(word)).report).toMatchObject({ state, providerStatus: word })
    })

    it.each(['SOMETHING_NEW', 'constructor', '__proto__', 'toString', 'RUN NING', 'RUNNING.', 'RUNNINGS'])(
      'takes the unpublished status %j for unmapped',
      async (status) => {
        vendor.answerJson(known.withStatus(status))
        expect(await ask()).toMatchObject({ report: { state: 'unmapped', providerStatus: status }, details: null })
      },
    )

    it('takes a missing status for unmapped, so that the body is kept to be looked at', () => {
      for (const status of [undefined, null, '', {}, []])
        expect(provider.readStatus(known.withStatus(status)).report).toMatchObject({
          state: 'unmapped',
          providerStatus: null,
        })
      expect(readState({})).toBe('unmapped')
    })

    it('lacks nothing before the import is over', () => {
      for (const status of [undefined, 'SOMETHING_NEW'])
        expect(provider.readStatus(known.withStatus(status)).missing).toBeNull()
      expect(provider.readStatus(known.running).missing).toBeNull()
    })

    it('says what a success lacks that shows nothing of how it ended', () => {
      const { report, missing } = provider.readStatus(known.bareSuccess)
      expect(report).toMatchObject({ state: 'succeeded', rows: unknownRows })
      expect(missing).toMatch(/ is missing\.$/)
    })

    it('gives no details unless the import is over', () => {
      expect(provider.readStatus(known.running).details).toBeNull()
    })

    it('makes text storable: no NUL, no lone surrogates, in values and keys', () => {
      const answer = { ...known.running, 'bad\u0000key\ud800': ['bad\u0000value\udc00'], message: '\u0000\ud83d' }
      expectWellFormed(provider.readStatus(answer))
    })

    it('refuses only by ZodError, whatever JSON comes', () => {
      fc.assert(
        fc.property(fc.jsonValue({ maxDepth: 4 }), (body) => {
          const result = readOrRefusal(provider, body)
          if (result) expectWellFormed(result)
        }),
      )
    })

    it('refuses only by ZodError, whatever JSON stands in any field', () => {
      const path = fc.constantFrom(...pathsIn(known.example))
      const odd = fc.oneof(fc.jsonValue(), fc.double(), fc.maxSafeInteger(), fc.string({ unit: 'binary' }))
      fc.assert(
        fc.property(path, odd, (field, value) => {
          const answer = structuredClone(known.example) as Record<string, unknown>
          setAt(value)(answer, field.split('.'))
          const result = readOrRefusal(provider, answer)
          if (result) expectWellFormed(result)
        }),
      )
    })

    it('reads any counts, written as numbers or as text, as the same report', () => {
      fc.assert(
        fc.property(fc.maxSafeNat(), (number) => {
          const answer = mapNumbers(known.running, () => number)
          const written = mapNumbers(known.running, () => String(number))
          expect({ ...provider.readStatus(written).report, body: null }).toEqual({
            ...provider.readStatus(answer).report,
            body: null,
          })
        }),
      )
    })

    it('refuses details and summaries only by ZodError', () => {
      const { report } = provider.readStatus(known.example)
      fc.assert(
        fc.property(fc.jsonValue({ maxDepth: 4 }), (body) => {
          for (const read of [
            () => provider.details?.read(body, firstPage),
            () => provider.summary?.read(body, report),
            () => provider.readError(body),
          ])
            try {
              read()
            } catch (error) {
              expect(error).toBeInstanceOf(ZodError)
            }
        }),
      )
    })
  })

  describe('garbage', () => {
    const secret = known.headerCredential
      ? String((known.credentials as Record<string, unknown>)[known.headerCredential])
      : (Object.values(known.headers)[0] ?? '').split(' ')[1]

    it.each([
      ['nothing', ''],
      ['HTML', '<html><body>It works!</body></html>'],
      ['half an object', '{"status": "RUNN'],
      ['a list', '[]'],
      ['a text', '"RUNNING"'],
      ['null', 'null'],
      ['a number', '7'],
      ['deep nesting', `{"deep":${'['.repeat(5_000)}${']'.repeat(5_000)}}`],
      ['bytes', '\u0000\u0001\ufffe'],
    ])('is an invalid response: %s', async (_what, text) => {
      vendor.answer((_request, response) => void response.writeHead(200).end(text))
      const error = await refusal(ask())
      expect(error).toMatchObject({ kind: 'invalid_response', status: 200 })
      expect(error.body).toBe(text.slice(0, 2_048).replaceAll('\u0000', '\ufffd'))
    })

    it('is kept without the credentials that it repeats', async () => {
      vendor.answer((request, response) => void response.end(`You sent ${JSON.stringify(request.headers)}, ${secret}!`))
      const error = await refusal(ask())
      expect(error.kind).toBe('invalid_response')
      expect(error.body).toContain('***')
      expect(error.body).not.toContain(secret)
    })
  })

  describe('errors', () => {
    it.each(known.errors)('reads $status $code', async ({ status, body, kind, code, message }) => {
      vendor.answerJson(body, status)
      expect(await refusal(ask())).toMatchObject({
        kind,
        status,
        code,
        message: `The provider answered ${status}: ${message} (${code})`,
        retryAfterMs: null,
        body: null,
      })
    })

    it.each([400, 401, 403, 404, 410, 418, 429, 500, 502, 503])(
      'tells %i by its status, whatever its body',
      async (status) => {
        for (const text of ['', '<h1>Oops</h1>', '[]', '{"unheard":"of"}']) {
          vendor.answer((_request, response) => void response.writeHead(status).end(text))
          const error = await refusal(ask())
          expect(error).toMatchObject({ status, code: null, message: `The provider answered ${status}.` })
          expect(error.body).toBe(text === '' ? null : text)
        }
      },
    )

    it.each([
      ['seconds', '7', 7_000],
      ['an HTTP date', new Date(testNow.getTime() + 90_000).toUTCString(), 90_000],
      ['more than a day', '999999', 86_400_000],
    ])('waits for a 429 as long as Retry-After says in %s', async (_form, header, retryAfterMs) => {
      vendor.answerJson({}, 429, { 'retry-after': header, date: testNow.toUTCString() })
      expect(await refusal(ask())).toMatchObject({ kind: 'rate_limited', retryAfterMs })
    })

    it.each([-3_600_000, 3_600_000])("reads a date by the vendor's clock, which is %i ms ahead", async (aheadMs) => {
      const date = new Date(testNow.getTime() + aheadMs)
      const until = new Date(date.getTime() + 10_000).toUTCString()
      for (const status of [429, 503]) {
        vendor.answerJson({}, status, { 'retry-after': until, date: date.toUTCString() })
        expect(await refusal(ask())).toMatchObject({ status, retryAfterMs: 10_000 })
      }
      vendor.answerJson(known.running, 200, { 'retry-after': until, date: date.toUTCString() })
      expect(await ask()).toMatchObject({ retryAfterMs: 10_000, date })
    })

    it('reads a status that is compressed, though nobody asked for it', async () => {
      const bytes = gzipSync(JSON.stringify(known.running))
      vendor.answer((_request, response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end(bytes))
      const { report } = await ask()
      vendor.answerJson(known.running)
      expect(report).toEqual((await ask()).report)
    })

    it('tells Retry-After with an answer that is none yet', async () => {
      vendor.answerJson(known.running, 200, { 'retry-after': '30' })
      expect(await ask()).toMatchObject({ retryAfterMs: 30_000 })
    })

    it.each([301, 302, 303, 307, 308])('does not follow a %i, so the credentials stay at home', async (status) => {
      vendor.answer((_request, response) => void response.writeHead(status, { location: other.baseUrl }).end('moved'))
      other.answerJson(known.example)
      expect(await refusal(ask())).toMatchObject({ kind: 'redirect', status })
      expect(other.seen).toEqual([])
    })
  })

  describe('a server in trouble', () => {
    it('times out where headers are slow', async () => {
      vendor.answer(() => {})
      expect(await refusal(ask('job-1', hasty.client))).toMatchObject({ kind: 'timeout', status: null })
    })

    it('times out where the body stops', async () => {
      vendor.answer((_request, response) => void response.writeHead(200).write('{"status":'))
      expect(await refusal(ask('job-1', hasty.client))).toMatchObject({ kind: 'timeout' })
    })

    it('tells a reset connection before and within the answer', async () => {
      vendor.answer((request) => void request.socket.destroy())
      expect(await refusal(ask())).toMatchObject({ kind: 'connection_reset' })
      vendor.answer((request, response) => {
        response.writeHead(200, { 'content-length': '100' })
        response.write('{"status":', () => request.socket.destroy())
      })
      expect(await refusal(ask())).toMatchObject({ kind: 'connection_reset' })
    })

    it('refuses an answer over the limit, announced or not', async () => {
      const large = JSON.stringify({ ...known.running, padding: 'x'.repeat(20_000) })
      for (const headers of [{ 'content-length': String(large.length) }, { 'transfer-encoding': 'chunked' }]) {
        vendor.answer((_request, response) => void response.writeHead(200, headers).end(large))
        expect(await refusal(ask())).toMatchObject({
          kind: 'response_too_large',
          message: "The provider's answer is larger than the limit of 20000 bytes.",
        })
      }
    })
  })

  describe('an account', () => {
    const accepts = (credentials: unknown, settings: unknown = known.settings) =>
      provider.credentialsSchema.safeParse(credentials).success && provider.settingsSchema.safeParse(settings).success

    it('is taken as it is', () => {
      expect(provider.credentialsSchema.parse(known.credentials)).toEqual(known.credentials)
      expect(provider.settingsSchema.parse(known.settings)).toEqual(known.settings)
    })

    it('has no unknown fields and lacks none', () => {
      expect(accepts({ ...(known.credentials as object), more: 1 })).toBe(false)
      expect(accepts(known.credentials, { ...(known.settings as object), more: 1 })).toBe(false)
      for (const wrong of [{}, null, 'key', undefined]) expect(accepts(wrong)).toBe(false)
    })

    it('has credentials that no header can be broken with', () => {
      const [field = ''] = Object.keys(known.credentials as object)
      for (const wrong of ['key\r\nx-evil: 1', 'key\n', 'kéy✓', '\u0000', '', ' key', 7, null]) {
        const { error } = provider.credentialsSchema.safeParse({ [field]: wrong })
        expect(error?.issues[0]).toMatchObject({ path: [field], message: expect.stringMatching(/^must be /) })
      }
    })

    it('is asked for within limits that make sense', () => {
      const { maxInFlight, minIntervalMs, maxIntervalMs, deadlineMs } = provider.defaultLimits
      expect(maxInFlight).toBeGreaterThan(0)
      expect(minIntervalMs).toBeLessThan(maxIntervalMs)
      expect(maxIntervalMs).toBeLessThan(deadlineMs)
      if (provider.defaultBaseUrl !== null) expect(new URL(provider.defaultBaseUrl).protocol).toBe('https:')
    })
  })

  it('takes no answer of another form for the last page of its rows, and can be asked for the first one', () => {
    const { details } = provider
    if (!details) return
    const foreign = [null, [], 'page', { error: 'upstream timeout' }, { status: 'ok', next: null }]
    for (const body of foreign) expect(() => details.read(body, 'cursor')).toThrow(ZodError)
    const request = details.request(
      { jobId: 'job-1', credentials: known.credentials, settings: known.settings },
      firstPage,
    )
    expect(request.path).toMatch(/job-1/)
    expect(request.query ?? {}).toEqual({})
  })

  it('is not asked at all where no key opens the credentials', async () => {
    vendor.answerJson(known.example)
    const { length } = vendor.seen
    const shut = { ...target(), credentials: null }
    const asking = askStatus(asker.client, provider, shut, 'job-1', { signal: noSignal() })
    expect((await refusal(asking)).kind).toBe('undecipherable_credentials')
    expect(vendor.seen).toHaveLength(length)
  })

  it('tells a 403 that means waiting from one that doesn’t', async () => {
    const tell = async (body: unknown, headers = {}) => {
      vendor.answerJson(body, 403, headers)
      return (await refusal(ask())).kind
    }
    expect(await tell({ message: 'You have reached the limit of your quota, says a sentence.' })).toBe('forbidden')
    expect(await tell({ code: 'ACCESS_DENIED' })).toBe('forbidden')
    expect(await tell({ code: 'ACCESS_DENIED' }, { 'retry-after': '5' })).toBe('rate_limited')
    expect(await tell({ status: { technicalKey: 'REQUEST_LIMIT_EXCEEDED' } })).toBe('rate_limited')
    expect(await tell([{ errorCode: 'REQUEST_LIMIT_EXCEEDED', message: 'TotalRequests Limit exceeded.' }])).toBe(
      'rate_limited',
    )
    expect(await tell({ error: { errors: [{ reason: 'userRateLimitExceeded' }] } })).toBe('rate_limited')
  })

  it('is asked for details only if it has pages of them', async () => {
    const details = askDetails(asker.client, provider, target(), 'job-1', 'cursor', { signal: noSignal() })
    if (!provider.details) return expect(details).rejects.toThrow(TypeError)
    return expect(refusal(details)).resolves.toBeInstanceOf(ProviderError)
  })
})

describe('what every provider must do alike', () => {
  const sampleOf = (body: unknown) => ({ path: ['sample'], body, head: { status: 200, headers: {} } })

  it.each(providerNames)('%s does', (name) => {
    const { credentials, settings, example, running } = cases[name]
    const account = { credentials: credentials as Record<string, string>, settings: settings as object }
    const samples = [example, running].map(sampleOf)
    expect(
      conformanceProblems(providers[name] as Provider, {
        samples,
        account: { ...account, settings: { ...account.settings } },
      }),
    ).toEqual([])
  })

  it.each([...shipped])('%s, a document, does, and its examples show all of its words', (_name, { given }) => {
    expect(checkWholeDocument(given, testNow)).toEqual({ problems: [], hints: [] })
  })

  it('is asked of a document that the walk in docs/providers.md ends with', () => {
    expect(checkWholeDocument(fixture('dataverse'), testNow)).toEqual({ problems: [], hints: [] })
  })

  function file(more: Partial<FileSource>): FileSource {
    return {
      ...{ url: null, hosts: [], format: { kind: 'jsonl' }, unpack: 'none', announced: null },
      limits: { bytes: 1_000, records: 10, recordLength: 100 },
      request: () => ({ path: '/rows', headers: {} }),
      read: (records) => ({
        skippedLines: [],
        rowResults: z.array(z.object({ recordId: z.string() })).parse(records) as never,
      }),
      ...more,
    }
  }

  const cdq = providers.cdq as Provider
  const answer = cdq.readStatus(cases.cdq.running)
  it.each<[string, Partial<Provider>, string[], string]>([
    [
      'an id that is lost',
      { statusRequest: () => ({ path: '/jobs', headers: {} }) },
      ['status', 'request'],
      'must ask for the job "abd123="',
    ],
    [
      'a secret in the URL',
      {
        statusRequest: ({ jobId }) => ({
          path: `/${encodeURIComponent(jobId)}`,
          query: { key: 'cdq-secret-key' },
          headers: {},
        }),
      },
      ['status', 'request'],
      'must not have the credential apiKey in the URL',
    ],
    [
      'a crash',
      {
        readStatus: () => {
          throw new RangeError('boom')
        },
      },
      ['sample'],
      'fails: RangeError: boom',
    ],
    [
      'a word for everything',
      {
        readStatus: (body) => ({
          ...answer,
          report: { ...answer.report, providerStatus: String((body as { status?: unknown } | null)?.status) },
        }),
      },
      ['sample'],
      'must not take the unknown word SOMETHING_NEW for running',
    ],
    [
      'rows before the end',
      { readStatus: () => ({ ...answer, details: { skippedLines: [], rowResults: [], next: null } }) },
      ['sample'],
      'has rows before it is over',
    ],
    [
      'a next poll at another origin',
      { readStatus: () => ({ ...answer, pollUrl: 'https://files.example.net/jobs/1' }) },
      ['sample'],
      'must say where the next poll goes. The provider named an address for the next poll that leads to files.example.net, so the one before is asked again.',
    ],
    [
      'a next poll after the last one',
      { readStatus: () => ({ ...answer, report: { ...answer.report, state: 'failed' }, pollUrl: '/jobs/1' }) },
      ['sample'],
      'says where the next poll goes though it is over',
    ],
    [
      'a page of anything',
      {
        details: {
          request: () => ({ path: '/', headers: {} }),
          read: () => ({ skippedLines: [], rowResults: [], next: null }),
        },
      },
      ['details'],
      'must not take an answer without the list for the last page',
    ],
    [
      'a page of anything in the second of its lists',
      {
        details: {
          ...(cdq.details as NonNullable<Provider['details']>),
          lists: [
            cdq.details as NonNullable<Provider['details']>,
            {
              request: () => ({ path: '/', headers: {} }),
              read: () => ({ skippedLines: [], rowResults: [], next: null }),
            },
          ],
        },
      },
      ['details'],
      'must not take an answer without the list for the last page',
    ],
    [
      'a file at a host that isn’t allowed',
      { files: { of: () => [file({ url: 'https://files.example.net:8443/rows', hosts: ['files.example.net'] })] } },
      ['sample'],
      'must have a file that may be asked for. The file’s URL leads to files.example.net:8443, which the provider’s document doesn’t allow, so it wasn’t asked.',
    ],
    [
      'a secret in the URL of a file',
      { files: { of: () => [file({ request: () => ({ path: '/rows/cdq-secret-key', headers: {} }) })] } },
      ['sample'],
      'must not have the credential apiKey in the URL of a file',
    ],
    [
      'a file of anything',
      { files: { of: () => [file({ read: () => ({ skippedLines: [], rowResults: [] }) })] } },
      ['sample'],
      'must not take "text" for a record of a file',
    ],
  ])('finds %s', (_what, broken, path, message) => {
    const account = { credentials: cases.cdq.credentials as Record<string, string>, settings: {} }
    const found = conformanceProblems({ ...cdq, ...broken }, { samples: [sampleOf(cases.cdq.running)], account })
    expect(found).toContainEqual({ path, message })
  })
})

function readOrRefusal(provider: { readStatus(body: unknown): StatusAnswer }, body: unknown): StatusAnswer | null {
  try {
    return provider.readStatus(body)
  } catch (error) {
    expect(error).toBeInstanceOf(ZodError)
    return null
  }
}

function expectWellFormed(answer: StatusAnswer) {
  expect(illFormed(answer)).toEqual([])
}

function pathsIn(value: unknown, prefix: string[] = []): string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => {
    const path = [...prefix, key]
    return [path.join('.'), ...pathsIn(inner, path)]
  })
}

function parentOf(value: Record<string, unknown>, path: string[]): Record<string, unknown> {
  return path.slice(0, -1).reduce((inner, key) => inner[key] as Record<string, unknown>, value)
}

function removeAt(value: Record<string, unknown>, path: string[]): void {
  delete parentOf(value, path)[path.at(-1) ?? '']
}

function setAt(replacement: unknown) {
  return (value: Record<string, unknown>, path: string[]): void => {
    parentOf(value, path)[path.at(-1) ?? ''] = replacement
  }
}

function mapNumbers(value: unknown, change: (number: number) => unknown): unknown {
  if (typeof value === 'number') return change(value)
  if (Array.isArray(value)) return value.map((inner) => mapNumbers(inner, change))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, mapNumbers(inner, change)]))
}

function numbersAsText(value: unknown): unknown {
  return mapNumbers(value, String)
}
