// Owns how answers are read that are compressed though nobody asked for it, whole and broken, small and far too large.
import type { ServerResponse } from 'node:http'
import * as zlib from 'node:zlib'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { ProviderError } from '../../src/providers/error.ts'
import { readPlainError } from '../../src/providers/error-body.ts'
import { memoryOf } from '../support/memory.ts'
import { noSignal, startClient, startVendor, type Vendor } from './vendor.ts'

const mebibyte = 1_024 * 1_024
const limitBytes = 4 * mebibyte
let vendor: Vendor
const opened: { close(): Promise<unknown> }[] = []

beforeAll(async () => {
  vendor = await startVendor()
})
afterEach(async () => {
  await Promise.all(opened.splice(0).map((client) => client.close()))
})
afterAll(() => vendor.close())

type Encode = (bytes: Buffer) => Buffer

const encodings: [string, Encode][] = [
  ['gzip', zlib.gzipSync],
  ['x-gzip', zlib.gzipSync],
  ['GZip', zlib.gzipSync],
  ['deflate', zlib.deflateSync],
  ['deflate', zlib.deflateRawSync],
  ['br', zlib.brotliCompressSync],
  ['zstd', zlib.zstdCompressSync],
  ['gzip, br', (bytes) => zlib.brotliCompressSync(zlib.gzipSync(bytes))],
  ['deflate,identity , gzip,zstd', (bytes) => zlib.zstdCompressSync(zlib.gzipSync(zlib.deflateSync(bytes)))],
  ['identity', (bytes) => bytes],
]

function ask(options: Parameters<typeof startClient>[0] = {}) {
  const running = startClient({ bodyLimitBytes: limitBytes, ...options })
  opened.push(running)
  const request = { path: '/job', headers: {} }
  const asking = { signal: noSignal(), credentials: {}, read: (body: unknown) => body, readError: readPlainError }
  return running.client.send(vendor.baseUrl, request, asking)
}

async function refusal(answer: Promise<unknown>): Promise<ProviderError> {
  const error = await answer.then(
    () => null,
    (reason: unknown) => reason,
  )
  if (!(error instanceof ProviderError)) throw new TypeError('expected a ProviderError', { cause: error })
  return error
}

/** Bytes under a content encoding, in one piece or in many. */
function answering(encoding: string, bytes: Buffer, { status = 200, pieces = false, end = true } = {}) {
  vendor.answer((_request, response) => {
    response.writeHead(status, {
      'content-encoding': encoding,
      ...(!pieces && end && { 'content-length': bytes.length }),
    })
    if (pieces) for (let at = 0; at < bytes.length; at += 7) response.write(bytes.subarray(at, at + 7))
    else response.write(bytes)
    if (end) response.end()
  })
}

const said = { status: 'RUNNING', words: 'Müller, '.repeat(500) }
const plain = Buffer.from(JSON.stringify(said))

describe.each(encodings)('in %s', (encoding, encode) => {
  it.each([false, true])('an answer is read, in pieces: %s', async (pieces) => {
    answering(encoding, encode(plain), { pieces })
    expect(await ask()).toMatchObject({ value: said })
  })

  it('an error is read', async () => {
    answering(encoding, encode(Buffer.from('{"code":"E1","message":"no such job"}')), { status: 404 })
    expect(await refusal(ask())).toMatchObject({ kind: 'not_found', code: 'E1' })
    answering(encoding, encode(Buffer.from('e'.repeat(300_000))), { status: 500 })
    expect(await refusal(ask())).toMatchObject({ kind: 'server_error', body: 'e'.repeat(2_048) })
  })

  it('an answer without a byte is one without a body', async () => {
    answering(encoding, Buffer.alloc(0))
    expect(await refusal(ask())).toMatchObject({ kind: 'invalid_response', status: 200, body: '' })
    answering(encoding, Buffer.alloc(0), { status: 503 })
    expect(await refusal(ask())).toMatchObject({ kind: 'server_error', status: 503 })
  })

  it('an answer may be as large as the limit when it is decoded, and no larger', async () => {
    const text = (size: number) => Buffer.from(`"${'x'.repeat(size - 2)}"`)
    answering(encoding, encode(text(1_000)))
    expect((await ask({ bodyLimitBytes: 1_000 })).value).toHaveLength(998)
    answering(encoding, encode(text(1_001)))
    expect(await refusal(ask({ bodyLimitBytes: 1_000 }))).toMatchObject({ kind: 'response_too_large', status: 200 })
  })

  it('the end of the connection in the middle of an answer is told as that', async () => {
    const half = encode(plain).subarray(0, 60)
    vendor.answer((_request, response) => {
      response.writeHead(200, { 'content-encoding': encoding })
      response.write(half, () => response.socket?.resetAndDestroy())
    })
    expect(await refusal(ask())).toMatchObject({ kind: 'connection_reset' })
  })
})

describe.each(encodings.filter(([encoding]) => encoding !== 'identity'))('in %s', (encoding, encode) => {
  it('an answer that ends too early for it, or is something else, is none', async () => {
    const whole = encode(plain)
    for (const bytes of [
      whole.subarray(0, whole.length - 10),
      Buffer.from('{"status":"RUNNING"}'),
      Buffer.from('\n'),
    ]) {
      answering(encoding, bytes)
      expect(await refusal(ask())).toMatchObject({
        kind: 'invalid_response',
        status: 200,
        message: `The provider answered 200: The body isn't in the content encoding ${encoding} from beginning to end.`,
      })
      answering(encoding, bytes, { status: 401 })
      expect(await refusal(ask())).toMatchObject({ status: 401 })
    }
  })

  it('a bomb is left as soon as it is larger than the limit', async () => {
    const bomb = encode(Buffer.alloc(64 * mebibyte))
    let error: unknown
    const memory = await memoryOf(async () => {
      answering(encoding, bomb, { end: false }) // so it is known before the answer ends
      error = await refusal(ask())
    })
    expect(error).toMatchObject({ kind: 'response_too_large', status: 200 })
    expect(memory.peak).toBeLessThan(40 * mebibyte)
    answering(encoding, bomb, { status: 500, end: false })
    expect(await refusal(ask())).toMatchObject({ kind: 'server_error', status: 500 })
  })
})

it('a step on the way to an answer may not be larger than the limit either', async () => {
  const empty = zlib.gzipSync('')
  const manyEmpty = Buffer.concat(Array.from({ length: 400_000 }, () => empty)) // 8 MB that mean nothing
  answering('gzip, zstd', zlib.zstdCompressSync(manyEmpty))
  expect(await refusal(ask())).toMatchObject({ kind: 'response_too_large' })
})

it.each(['compress', 'aes128gcm', 'gzip, snappy', 'gzip, gzip, gzip, gzip', 'x\u00e9'.repeat(100)])(
  'an encoding that nobody knows is told by its name: %s',
  async (encoding) => {
    const name = encoding.replace(/[^\x20-\x7e]/g, '?').slice(0, 60)
    answering(encoding, zlib.gzipSync(plain))
    expect(await refusal(ask())).toMatchObject({
      kind: 'invalid_response',
      message: `The provider answered 200: The content encoding ${name} can't be undone.`,
    })
    answering(encoding, zlib.gzipSync(plain), { status: 500 })
    expect(await refusal(ask())).toMatchObject({
      kind: 'server_error',
      body: `The content encoding ${name} can't be undone.`,
    })
  },
)

it('connections are used again after compressed answers, and none is left open by a broken one', async () => {
  const sockets = new Set<unknown>()
  const note = (response: ServerResponse) => sockets.add(response.socket)
  const running = startClient({ bodyLimitBytes: limitBytes })
  opened.push(running)
  const asking = { signal: noSignal(), credentials: {}, read: (body: unknown) => body, readError: readPlainError }
  const send = () => running.client.send(vendor.baseUrl, { path: '/job', headers: {} }, asking)
  vendor.answer((_request, response) => {
    note(response)
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(zlib.gzipSync(plain))
  })
  for (let count = 0; count < 5; count++) await send()
  expect(sockets.size).toBe(1)

  const closed = Promise.withResolvers<void>()
  vendor.answer((_request, response) => {
    response.on('close', () => closed.resolve())
    response.writeHead(200, { 'content-encoding': 'gzip' }).write('not gzip')
  })
  expect(await refusal(send())).toMatchObject({ kind: 'invalid_response' })
  await closed.promise
})
