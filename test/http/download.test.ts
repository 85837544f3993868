import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import type { Response } from 'express'
import { expect, test } from 'vitest'
import { download } from '../../src/http/download.ts'

test('a reader that takes nothing is cut off, and its rows are read no further', async () => {
  const closed = Promise.withResolvers<void>()
  const gone = new AbortController()
  async function* rows() {
    try {
      for (;;) yield [{ text: 'x'.repeat(100_000) }]
    } finally {
      closed.resolve()
    }
  }
  const server = createServer((_request, response) => {
    response.once('close', () => gone.abort())
    const streamed = download({
      name: 'rows',
      mediaType: 'text/csv',
      batches: rows(),
      bom: false,
      columns: ['text'],
      cells: ({ text }) => [text],
      signal: gone.signal,
      readerIdleMs: 50,
    })
    streamed.stream(response as Response).catch(() => {})
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const reader = connect((server.address() as AddressInfo).port, '127.0.0.1')
  reader.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n')
  await closed.promise
  expect(gone.signal.aborted).toBe(true)
  reader.destroy()
  server.close()
})
