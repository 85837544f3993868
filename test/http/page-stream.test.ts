import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Response as ExpressResponse } from 'express'
import { expect, onTestFinished, test, vi } from 'vitest'
import { type EventWriter, openEventStream } from '../../src/http/event-stream.ts'
import { useApi } from '../support/worlds/api.ts'
import { adminToken } from '../support/worlds/ground.ts'

const api = useApi()
const headers = { authorization: `Bearer ${adminToken}` }

test('a hundred streams cost one statement at a time, no more often than every 250 ms, and all hear of a change', async () => {
  const statements = vi.spyOn(api.database.pool, 'query')
  onTestFinished(() => statements.mockRestore())
  const streams = await Promise.all(Array.from({ length: 100 }, () => openStream()))
  const heard = () => streams.map(({ text }) => changesIn(text()))
  await vi.waitFor(() => expect(Math.min(...heard())).toBeGreaterThan(0))

  statements.mockClear()
  const startedAt = performance.now()
  await vi.waitFor(() => expect(statements.mock.calls.length).toBeGreaterThanOrEqual(12), { interval: 20 })
  const allowed = 1 + (performance.now() - startedAt) / 250
  expect(statements.mock.calls.length).toBeLessThanOrEqual(allowed)

  const before = heard()
  await api.import({ jobId: 'a-change' })
  await vi.waitFor(() => expect(heard().every((count, index) => count > (before[index] ?? 0))).toBe(true))
  for (const { text } of streams) expect(text()).toMatch(/^retry: \d+\n\nid: \S+\nevent: changed\n/)
})

test('the stream of pages is for who is signed in, and HEAD doesn’t wait', async () => {
  expect((await api.send('/pages/stream')).status).toBe(401)
  const { status, headers: answered } = await api.send('/pages/stream', { method: 'HEAD', headers })
  expect([status, answered.get('content-type')]).toEqual([200, 'text/event-stream'])
})

test('a stream of an import says when to come back, and numbers its events', async () => {
  const { id } = await api.register()
  const leaving = new AbortController()
  const stream = await openStream(`/v1/imports/${id}/stream`, { accept: 'text/event-stream' }, leaving)
  await vi.waitFor(() => expect(stream.text()).toMatch(/^retry: \d+\n\nid: \S+\nevent: import\ndata: \{/))
})

test('a writer waits for a client that doesn’t read, and ends when it leaves', async () => {
  let writer: EventWriter | undefined
  const server = createServer((_request, response) => {
    writer = openEventStream(response as ExpressResponse)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    writer?.[Symbol.dispose]()
    server.closeAllConnections()
    server.close()
  })
  const leaving = new AbortController()
  const { port } = server.address() as AddressInfo
  const response = await fetch(`http://127.0.0.1:${port}`, { signal: leaving.signal })
  const large = { name: 'large', id: '1', data: 'x'.repeat(1_000_000) }
  let sent = 0
  const sending = (async () => {
    for (; sent < 200; sent++) await writer?.send(large)
  })()
  const reader = response.body?.getReader()
  await reader?.read()
  const unread = sent
  expect(unread).toBeLessThan(200)
  await vi.waitFor(async () => {
    await reader?.read()
    expect(sent).toBeGreaterThan(unread)
  })
  leaving.abort()
  await sending
})

async function openStream(path = '/pages/stream', more = {}, leaving = new AbortController()) {
  onTestFinished(() => leaving.abort())
  const response = await fetch(`${api.url}${path}`, { headers: { ...headers, ...more }, signal: leaving.signal })
  expect(response.status).toBe(200)
  let text = ''
  void (async () => {
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) text += chunk
  })().catch(() => {})
  return { text: () => text }
}

function changesIn(text: string): number {
  return text.match(/^event: changed$/gm)?.length ?? 0
}
