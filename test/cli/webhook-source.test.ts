import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createClient } from '../../packages/client/src/index.ts'
import { systemClock } from '../../src/base/clock.ts'
import { openSource } from '../../src/cli/webhook-source.ts'
import { newSecret, signatureHeaders } from '../../src/webhooks/signing.ts'

const id = '019abc00-0000-7000-8000-000000000001'
const secret = newSecret()

/** The requests of the service, and whether the receiver still listened at each. */
let asked: string[]
let url: string
let receiver: string
/** Answers the request for a test webhook. */
let answerTest: (response: ServerResponse) => Promise<void>

const server = createServer((request, response) => {
  void answer(request, response)
})
beforeEach(async () => {
  asked = []
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterEach(() => new Promise((resolve) => server.close(resolve).closeAllConnections()))

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let body = ''
  for await (const chunk of request.setEncoding('utf8')) body += chunk
  const path = request.url?.replace('/v1/webhook-endpoints', '')
  if (path === '') receiver = JSON.parse(body).url
  asked.push(`${request.method} ${path} ${await listens()}`)
  if (path === '') return json(response, 201, { id, secret })
  if (path === `/${id}/test`) return answerTest(response)
  response.writeHead(204).end()
}

function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

function listens(): Promise<boolean> {
  return fetch(receiver).then(
    () => true,
    () => false,
  )
}

function open() {
  const tracker = createClient({ url, token: 'a-token-0123456789' })
  const nothing = { onEvent() {}, onRefused() {} }
  return openSource({ clock: systemClock, tracker, url, port: 0, types: ['import.failed'], ...nothing })
}

const create = 'POST  true'
const trial = `POST /${id}/test true`
const deletion = `DELETE /${id} true`

test('an endpoint that can’t be tested is deleted, and its receiver closed', async () => {
  answerTest = async (response) => json(response, 404, { code: 'not_found', detail: 'There is no such endpoint.' })
  await expect(open()).rejects.toThrow()
  expect(asked).toEqual([create, trial, deletion])
  expect(await listens()).toBe(false)
})

test('at the end the endpoint is deleted before its receiver closes', async () => {
  answerTest = async (response) => {
    const body = JSON.stringify({ type: 'webhook.test', timestamp: new Date().toISOString(), data: {} })
    const headers = signatureHeaders({ id, at: new Date(), body }, [secret])
    await fetch(receiver, { method: 'POST', headers, body })
    json(response, 202, { id })
  }
  const source = await open()
  expect(source.kind).toBe('endpoint')
  await source.stop()
  expect(asked).toEqual([create, trial, deletion])
  expect(await listens()).toBe(false)
})
