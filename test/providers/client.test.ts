// Owns how a request is sent and an answer received, apart from any vendor.
import { createServer } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createAgents } from '../../src/egress/agents.ts'
import { createGuard } from '../../src/egress/guard.ts'
import { createProviderClient } from '../../src/providers/client.ts'
import type { ProviderRequest } from '../../src/providers/contract.ts'
import { ProviderError } from '../../src/providers/error.ts'
import { readPlainError } from '../../src/providers/error-body.ts'
import { noSignal, startClient, startVendor, type Vendor } from './vendor.ts'

let vendor: Vendor
const open: { close(): Promise<unknown> }[] = []

beforeAll(async () => {
  vendor = await startVendor()
})
beforeEach(() => {
  vendor.seen.length = 0
})
afterEach(async () => {
  await Promise.all(open.splice(0).map((client) => client.close()))
})
afterAll(() => vendor.close())

interface Sending {
  baseUrl?: string
  request?: Partial<ProviderRequest>
  signal?: AbortSignal
  credentials?: unknown
}

function started(options?: Parameters<typeof startClient>[0]) {
  const running = startClient(options)
  open.push(running)
  return (sending: Sending = {}) =>
    running.client.send(
      sending.baseUrl ?? vendor.baseUrl,
      { path: '/job', headers: {}, ...sending.request },
      {
        signal: sending.signal ?? noSignal(),
        credentials: sending.credentials ?? {},
        read: (body) => body,
        readError: readPlainError,
      },
    )
}

async function refusal(answer: Promise<unknown>): Promise<ProviderError> {
  const error = await answer.then(
    () => null,
    (reason: unknown) => reason,
  )
  if (!(error instanceof ProviderError)) throw new TypeError('expected a ProviderError', { cause: error })
  return error
}

describe('a request', () => {
  it.each([
    ['', '/job'],
    ['/', '/job'],
    ['/rest', '/rest/job'],
    ['/rest/v2//', '/rest/v2/job'],
  ])('goes below the base URL with the path %j', async (path, target) => {
    vendor.answerJson({})
    await started()({ baseUrl: `${vendor.baseUrl}${path}` })
    expect(vendor.seen[0]?.target).toBe(target)
  })

  it('goes to the origin of the base URL whatever its path looks like', async () => {
    vendor.answerJson({})
    await started()({ request: { path: '//elsewhere.example/job' } })
    expect(vendor.seen[0]?.target).toBe('//elsewhere.example/job')
  })

  it('has its query encoded', async () => {
    vendor.answerJson({})
    await started()({ request: { query: { after: 'a b&c=d+é' } } })
    const { target = '' } = vendor.seen[0] ?? {}
    expect(target).toBe('/job?after=a%20b%26c%3Dd%2B%C3%A9')
    expect(new URL(target, vendor.baseUrl).searchParams.get('after')).toBe('a b&c=d+é')
  })

  it('asks for plain JSON, and not for what a cache has kept', async () => {
    vendor.answerJson({})
    await started()()
    expect(vendor.seen[0]?.headers).toMatchObject({
      accept: 'application/json',
      'accept-encoding': 'identity',
      'cache-control': 'no-cache',
    })
  })
})

describe('an answer', () => {
  it('is JSON in UTF-8, with a byte order mark or without, in pieces or in one', async () => {
    const json = Buffer.from('{"name":"Müller 🙂"}')
    for (const bytes of [json, Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), json])])
      for (const chunked of [false, true]) {
        vendor.answer((_request, response) => {
          if (!chunked) return void response.end(bytes)
          response.write(bytes.subarray(0, 11)) // within the ü
          response.end(bytes.subarray(11))
        })
        expect(await started()()).toMatchObject({ value: { name: 'Müller 🙂' }, retryAfterMs: null })
      }
  })

  it('says when it was made', async () => {
    vendor.answerJson({}, 200, { date: 'Sun, 06 Nov 1994 08:49:37 GMT' })
    expect(await started()()).toMatchObject({ date: new Date('1994-11-06T08:49:37Z') })
    vendor.answerJson({}, 200, { date: 'yesterday' })
    expect(await started()()).toMatchObject({ date: null })
  })

  it('may have 64 KiB of headers, and no more', async () => {
    const cookies = (count: number) => Array.from({ length: count }, () => 'c'.repeat(4_096))
    const answerWith = (count: number, status: number) =>
      vendor.answer((_request, response) => {
        response.writeHead(status, { 'set-cookie': cookies(count) }).end('{"fine":true}')
      })
    answerWith(15, 200)
    expect(await started()()).toMatchObject({ value: { fine: true } })
    for (const status of [200, 500]) {
      answerWith(16, status)
      expect(await refusal(started()())).toMatchObject({
        kind: 'headers_too_large',
        status: null,
        message: "The provider's answer has more than 64 KiB of headers.",
      })
    }
  })

  it.each<[string, string, Buffer]>([
    ['iso-8859-1', 'application/json; charset=iso-8859-1', Buffer.from('{"name":"Müller"}', 'latin1')],
    ['Windows-1252', 'application/json;charset="Windows-1252"', Buffer.from('{"name":"Müller"}', 'latin1')],
    ['UTF-16', 'application/json; version=1; charset=utf-16le', Buffer.from('{"name":"Müller"}', 'utf16le')],
    ['UTF-16 with a mark', 'application/json', Buffer.from('\ufeff{"name":"Müller"}', 'utf16le')],
    ['UTF-8 with a mark, whatever is said', 'text/plain; charset=latin1', Buffer.from('\ufeff{"name":"Müller"}')],
    ['UTF-8, where there is no such charset', 'application/json; charset=wtf-7', Buffer.from('{"name":"Müller"}')],
  ])('is read in its charset: %s', async (_charset, contentType, bytes) => {
    for (const chunked of [false, true])
      for (const status of [200, 400]) {
        vendor.answer((_request, response) => {
          response.writeHead(status, { 'content-type': contentType })
          if (chunked) response.write(bytes.subarray(0, 10))
          response.end(chunked ? bytes.subarray(10) : bytes)
        })
        if (status === 200) expect(await started()()).toMatchObject({ value: { name: 'Müller' } })
        else expect((await refusal(started()())).body).toBe('{"name":"Müller"}')
      }
  })

  it.each([
    [
      '{"a":NaN,"b":[Infinity,-Infinity],"c":"NaN \\"-Infinity\\""}',
      { a: null, b: [null, null], c: 'NaN "-Infinity"' },
    ],
    ['NaN', null],
    ['null', null],
    ['{"a":NaNa}', undefined],
    ['{"a":"Infinity}', undefined],
  ])('may hold what JSON has no numbers for: %s', async (text, value) => {
    vendor.answer((_request, response) => void response.end(text))
    if (value === undefined) expect(await refusal(started()())).toMatchObject({ kind: 'invalid_response' })
    else expect((await started()()).value).toEqual(value)
  })

  it('keeps its numbers as they were written', async () => {
    const text = '{"a":9007199254740993,"b":[1.0,1e400,0.1234567890123456789],"c":12}'
    vendor.answer((_request, response) => void response.end(text))
    expect(JSON.stringify((await started()()).value)).toBe(text)
  })

  it.each(['[', '{"a":'])('that is nested without end is none: %s', async (open) => {
    vendor.answer((_request, response) => void response.end(`${open.repeat(200_000)}1e400`))
    expect(await refusal(started()())).toMatchObject({ kind: 'invalid_response' })
  })

  it('survives bytes that are no UTF-8', async () => {
    vendor.answer((_request, response) => void response.end(Buffer.from('{"name":"M\xfcller"}', 'latin1')))
    expect(await started()()).toMatchObject({ value: { name: 'M\ufffdller' } })
  })

  it('may be as large as the limit, and no larger', async () => {
    const send = started({ bodyLimitBytes: 100 })
    for (const chunked of [false, true]) {
      const answerWith = (size: number) =>
        vendor.answer((_request, response) => {
          const text = `"${'x'.repeat(size - 2)}"`
          if (chunked) response.write(text.slice(0, 10))
          response.end(chunked ? text.slice(10) : text)
        })
      answerWith(100)
      expect((await send()).value).toHaveLength(98)
      answerWith(101)
      expect(await refusal(send())).toMatchObject({ kind: 'response_too_large', status: 200 })
    }
    vendor.answerJson({ fine: true })
    expect(await send()).toMatchObject({ value: { fine: true } })
  })

  it.each([204, 205])('without a body (%i) is none', async (status) => {
    vendor.answer((_request, response) => void response.writeHead(status).end())
    expect(await refusal(started()())).toMatchObject({ kind: 'invalid_response', status, body: '' })
  })

  it('keeps the status of an error whose body never ends', async () => {
    vendor.answer((_request, response) => void response.writeHead(429, { 'retry-after': '9' }).write('{"mess'))
    expect(await refusal(started({ totalMs: 3_000 })())).toMatchObject({ kind: 'rate_limited', retryAfterMs: 9_000 })
  })

  it('keeps the start of an endless error', async () => {
    vendor.answer((_request, response) => void response.writeHead(500).end('e'.repeat(200_000)))
    expect(await refusal(started()())).toMatchObject({ kind: 'server_error', body: 'e'.repeat(2_048) })
  })
})

describe('secrets', () => {
  const tokenResponse = '{"access_token":"00Dxx!AR8 AQ","token_type":"Bearer"}'
  const credentials = { apiKey: 'sécret "key"', tokenResponse }

  it.each([
    ['as they are', 'sécret "key"'],
    ['in base64', Buffer.from(tokenResponse).toString('base64')],
    ['in base64url', Buffer.from('sécret "key"').toString('base64url')],
    ['percent-encoded', encodeURIComponent('sécret "key"')],
    ['in JSON', JSON.stringify('sécret "key"').slice(1, -1)],
    ['from inside a token', '00Dxx!AR8 AQ'],
  ])('are masked in what is kept of an answer %s', async (_form, secret) => {
    for (const status of [200, 400]) {
      vendor.answer((_request, response) => void response.writeHead(status).end(`<p>${secret}, ${secret}, Bearer</p>`))
      const { body } = await refusal(started()({ credentials }))
      expect(body).toBe('<p>***, ***, Bearer</p>')
    }
  })

  it('are masked where they are a part of base64, such as the password of Basic', async () => {
    const basic = (password: string) => Buffer.from(`user:${password}`).toString('base64')
    const secrets = ['sécret "key"', encodeURIComponent('sécret "key"')].map(basic)
    const repeated = [...secrets, `x/${secrets[0]}`, basic('another')].join(' ')
    vendor.answer((_request, response) => void response.writeHead(400).end(repeated))
    expect((await refusal(started()({ credentials }))).body).toBe(`*** *** *** ${basic('another')}`)
  })

  it('are masked at the edge of what is kept', async () => {
    vendor.answer((_request, response) => void response.end(`${'x'.repeat(2_044)}sécret "key"`))
    expect((await refusal(started()({ credentials }))).body).toBe(`${'x'.repeat(2_044)}***`)
  })

  it("are masked in the provider's own words", async () => {
    vendor.answerJson({ code: 'sécret "key"', message: 'No such key: sécret "key"' }, 401)
    expect(await refusal(started()({ credentials }))).toMatchObject({
      message: 'The provider answered 401: No such key: *** (***)',
      code: '***',
    })
  })
})

describe('time', () => {
  it('is limited for headers, for the body and for the whole call', async () => {
    vendor.answer(() => {})
    expect(await refusal(started({ headersMs: 50 })())).toMatchObject({
      kind: 'timeout',
      message: "The provider's server took too long.",
    })
    vendor.answer((_request, response) => void response.writeHead(200).write('{'))
    expect(await refusal(started({ bodyMs: 50 })())).toMatchObject({
      kind: 'timeout',
      message: "The provider's server took too long.",
    })
    vendor.answer((_request, response) => {
      const drip = setInterval(() => response.write(' '), 10)
      response.on('close', () => clearInterval(drip))
    })
    expect(await refusal(started({ bodyMs: 1_000, totalMs: 80 })())).toMatchObject({
      kind: 'timeout',
      message: "The provider's answer took longer than 80 ms.",
    })
  })

  it('is over at once where the caller aborts, before the request, before the answer and within it', async () => {
    expect(await refusal(started()({ signal: AbortSignal.abort() }))).toMatchObject({ kind: 'aborted' })
    expect(vendor.seen).toEqual([])
    for (const write of ['', '{']) {
      const controller = new AbortController()
      vendor.answer((_request, response) => {
        if (write) response.writeHead(200).write(write)
        controller.abort()
      })
      expect(await refusal(started()({ signal: controller.signal }))).toMatchObject({ kind: 'aborted' })
    }
  })

  it('does not wait for a connection longer than the whole call may take', async () => {
    const agents = createAgents({
      guard: createGuard({ allowedCidrs: [] }),
      timeouts: { dnsMs: 60_000, connectMs: 60_000, headersMs: 60_000, bodyMs: 60_000 },
      resolve: () => new Promise(() => {}),
    })
    open.push({ close: () => Promise.race([agents.destroy(), null]) })
    const client = createProviderClient({ agents, clock: { now: () => new Date() }, totalMs: 50 })
    const request = { path: '/', headers: {} }
    const asking = { signal: noSignal(), credentials: {}, read: () => null, readError: () => null }
    expect(await refusal(client.send('https://slow.example', request, asking))).toMatchObject({ kind: 'timeout' })
  })
})

describe('no answer', () => {
  it('comes from a port where nobody listens', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : null
    await new Promise((resolve) => server.close(resolve))
    expect(await refusal(started()({ baseUrl: `http://127.0.0.1:${port}` }))).toMatchObject({ kind: 'connect_error' })
  })

  it('comes from a name that does not resolve', async () => {
    expect(await refusal(started()({ baseUrl: 'http://nobody.invalid' }))).toMatchObject({ kind: 'dns_error' })
  })

  it('comes from an address that may not be asked, and the message does not name it', async () => {
    const error = await refusal(started()({ baseUrl: 'http://10.1.2.3' }))
    expect(error.kind).toBe('blocked_address')
    expect(error.message).not.toContain('10.1')
  })

  it('comes from a server that does not speak TLS, or HTTP', async () => {
    const baseUrl = vendor.baseUrl.replace('http:', 'https:')
    expect(await refusal(started()({ baseUrl }))).toMatchObject({ kind: 'tls_error' })
    vendor.answer((request) => void request.socket.end('SSH-2.0-OpenSSH_9.2\r\n'))
    expect(await refusal(started()())).toMatchObject({ kind: 'invalid_response', status: null })
  })

  it('is thrown as it is where it is our own bug', async () => {
    const send = started()({ request: { headers: { 'x-bad': 'a\nb' } } })
    await expect(send).rejects.not.toBeInstanceOf(ProviderError)
  })
})
