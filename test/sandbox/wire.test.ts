import { request } from 'undici'
import { expect, test } from 'vitest'
import { openJob } from './open.ts'

test('timeout: nothing is answered, and nothing keeps the sandbox from closing', async () => {
  const { ask, sandbox } = await openJob([{ kind: 'timeout' }])
  const controller = new AbortController()
  const abandoned = failureOf(ask({ signal: controller.signal }))
  const waiting = failureOf(ask())
  await expect.poll(() => sandbox.requests().map(({ status }) => status)).toEqual([null, null])
  controller.abort()
  expect(await abandoned).toBe('AbortError')
  await sandbox.close()
  expect(await waiting).toBe('UND_ERR_SOCKET')
})

test('reset: the connection is reset before an answer', async () => {
  const { ask } = await openJob([{ kind: 'reset' }])
  expect(await failureOf(ask())).toBe('ECONNRESET')
})

test('truncated: the connection ends in the middle of the body', async () => {
  const { ask } = await openJob([{ kind: 'truncated' }])
  const response = await ask()
  expect(response.status).toBe(200)
  expect(await failureOf(response.text())).toBe('UND_ERR_SOCKET')
})

test('slow_body: the headers come at once, the body in drips', async () => {
  const { ask } = await openJob([{ kind: 'slow_body', overMs: 200 }])
  const response = await ask()
  let chunks = 0
  let text = ''
  for await (const chunk of response.body ?? []) {
    chunks++
    text += Buffer.from(chunk).toString()
  }
  expect(chunks).toBeGreaterThan(5)
  expect(JSON.parse(text)).toMatchObject({ status: 'FINISHED' })
})

test('slow_body: a client that goes away ends it', async () => {
  const { ask, sandbox } = await openJob([{ kind: 'slow_body', overMs: 3_600_000 }])
  const controller = new AbortController()
  const response = await ask({ signal: controller.signal })
  controller.abort()
  expect(await failureOf(response.text())).toBe('AbortError')
  await sandbox.close()
})

test('each answer has the date of the clock that the sandbox goes by', async () => {
  const { ask, clock } = await openJob([{ kind: 'server_error', atRequest: 2 }])
  expect((await ask()).headers.get('date')).toBe('Sun, 01 Mar 2026 12:00:00 GMT')
  clock.advance(90_000)
  expect((await ask()).headers.get('date')).toBe('Sun, 01 Mar 2026 12:01:30 GMT')
})

test('garbage: an HTML page with status 200', async () => {
  const { ask } = await openJob([{ kind: 'garbage' }])
  const response = await ask()
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/html'])
  expect(await failureOf(response.json())).toBe('SyntaxError')
})

test("wrong_shape: JSON that is none of the vendor's", async () => {
  const { askJson } = await openJob([{ kind: 'wrong_shape' }])
  expect(await askJson()).toEqual([])
})

test('too_large: a well-formed body of at least so many bytes', async () => {
  const { ask } = await openJob([{ kind: 'too_large' }])
  const response = await ask()
  let bytes = 0
  for await (const chunk of response.body ?? []) bytes += chunk.length
  expect(bytes).toBeGreaterThan(40 * 2 ** 20)
  const small = await openJob([{ kind: 'too_large', bytes: 100_000 }])
  expect(await small.askJson()).toMatchObject({ status: 'FINISHED', padding: expect.any(Array) })
})

test('redirect: to somewhere else', async () => {
  const { ask } = await openJob([{ kind: 'redirect' }])
  const response = await ask()
  expect([response.status, response.headers.get('location')]).toEqual([302, '/moved'])
})

test.each(['gzip', 'br', 'deflate', 'zstd'] as const)('compressed: %s, which the answer says', async (encoding) => {
  const { ask } = await openJob([{ kind: 'compressed', encoding }])
  const response = await ask()
  expect(response.headers.get('content-encoding')).toBe(encoding)
  expect(await response.json()).toMatchObject({ status: 'FINISHED' })
})

test('compressed: a body that is too large is small on its way', async () => {
  const { sandbox, job } = await openJob([{ kind: 'compressed' }, { kind: 'too_large', bytes: 10_000_000 }])
  const headers = { 'x-api-key': sandbox.credentials('cdq').apiKey }
  const response = await request(`${job.baseUrl}/jobs/importjobs/${job.jobId}`, { headers })
  expect((await response.body.bytes()).length).toBeLessThan(100_000)
})

test.each([
  ['iso-8859-1', true, 'application/json; charset=iso-8859-1'],
  ['iso-8859-1', false, 'application/json'],
  ['utf-16le', true, 'application/json; charset=utf-16le'],
] as const)('charset: the text in %s, declared: %s', async (charset, declared, contentType) => {
  const answers = [{ body: { message: 'Müller ungültig' } }]
  const { ask } = await openJob([{ kind: 'charset', charset, declared }], { answers })
  const response = await ask()
  expect(response.headers.get('content-type')).toBe(contentType)
  const text = new TextDecoder(charset).decode(await response.arrayBuffer())
  expect(JSON.parse(text)).toEqual({ message: 'Müller ungültig' })
})

test('large_headers: so many bytes of cookies', async () => {
  const { ask } = await openJob([{ kind: 'large_headers', bytes: 10_000 }])
  const cookies = (await ask()).headers.getSetCookie()
  expect([cookies.length, cookies.join('').length]).toEqual([3, 12_288])
})

test('reset_after_answer: the answer is whole, and its connection is gone', async () => {
  const { askJson, sandbox } = await openJob([{ kind: 'reset_after_answer' }])
  expect(await askJson()).toMatchObject({ status: 'FINISHED' })
  expect(await askJson()).toMatchObject({ status: 'FINISHED' })
  expect(sandbox.requests()).toHaveLength(2)
})

test('invalid_http: a strict client reads no answer', async () => {
  const { ask } = await openJob([{ kind: 'invalid_http' }])
  await expect(ask()).rejects.toMatchObject({ cause: { name: 'HTTPParserError' } })
})

/** The code of the network error that a call ends in. */
async function failureOf(call: Promise<unknown>): Promise<unknown> {
  const failure: unknown = await call.then(
    () => 'no failure',
    (error: unknown) => error,
  )
  if (!(failure instanceof Error)) return failure
  const cause: unknown = failure.cause
  return cause instanceof Error && 'code' in cause ? cause.code : failure.name
}
