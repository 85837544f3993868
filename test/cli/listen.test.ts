import { expect, test } from 'vitest'
import type { Import, WebhookEvent } from '../../packages/client/src/index.ts'
import { eventLine } from '../../src/cli/event-line.ts'
import { newSecret, signatureHeaders } from '../../src/webhooks/signing.ts'
import { type RunningCli, runCli, startCli } from './run.ts'

const secret = newSecret()
const id = '019abc00-0000-7000-8000-000000000001'
const data = { id, connection: 'crm', jobId: 'job-7', state: 'partial' } as Import
const body = JSON.stringify({ type: 'import.partial', timestamp: new Date().toISOString(), sequence: 3, data })

test('a webhook is a line: time, type, import, state and sequence', async () => {
  const listener = startCli(['webhooks', 'listen', '--port', '0', '--secret', secret], {})
  const url = await urlOf(listener)
  expect(await send(url, { body })).toBe(204)
  await listener.said(
    /^\d{4}-\d\d-\d\dT[\d:.]+Z import\.partial {9}crm\/job-7 019abc00-0000-7000-8000-000000000001 partial #3$/m,
  )
  await end(listener)
})

test('with --json it is its body, and nothing else is on stdout', async () => {
  const listener = startCli(['webhooks', 'listen', '--port', '0', '--json'], { WEBHOOK_SECRET: secret })
  const url = await urlOf(listener)
  expect(await send(url, { body, secret: newSecret() })).toBe(400)
  expect(await send(url, { body })).toBe(204)
  await listener.said(/\n/)
  await end(listener)
  expect(listener.output().stdout).toBe(`${body}\n`)
  expect(listener.output().stderr).toContain('refused: no_matching_signature')
})

test('it ends as soon as nobody reads what it prints', async () => {
  const listener = startCli(['webhooks', 'listen', '--port', '0', '--secret', secret], {})
  const url = await urlOf(listener)
  expect(await send(url, { body })).toBe(204)
  await listener.said(/import\.partial/)
  listener.child.stdout?.destroy()
  expect(await send(url, { body })).toBe(204)
  expect(await listener.exited).toBe(0)
})

test('what is no webhook is refused, and told without what it says', async () => {
  const listener = startCli(['webhooks', 'listen', '--port', '0'], { WEBHOOK_SECRET: secret })
  const url = await urlOf(listener)
  expect((await fetch(url)).status).toBe(405)
  expect((await fetch(url, { method: 'POST', body: 'hello' })).status).toBe(400)
  expect((await fetch(url, { method: 'POST', body: 'x'.repeat(200_000) })).status).toBe(413)
  await end(listener)
  const { stdout, stderr } = listener.output()
  expect(stdout).toBe('')
  expect([...stderr.matchAll(/refused: (\w+)/g)].map(([, reason]) => reason)).toEqual([
    'not_a_post',
    'missing_header',
    'body_too_large',
  ])
  expect(stdout + stderr).not.toContain(secret.slice('whsec_'.length))
})

test.each(['', 'hello', 'whsec_', 'whsec_no base64'])('the secret %j is refused, and not printed', async (wrong) => {
  const { code, stderr } = await runCli(['webhooks', 'listen'], { WEBHOOK_SECRET: wrong })
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: 'WEBHOOK_SECRET, or --secret, must be the secret that the endpoint was created with: whsec_….\n',
  })
})

test('a port that is taken is one line', async () => {
  const listener = startCli(['webhooks', 'listen', '--port', '0'], { WEBHOOK_SECRET: secret })
  const { port } = new URL(await urlOf(listener))
  const second = await runCli(['webhooks', 'listen', '--port', port], { WEBHOOK_SECRET: secret })
  expect(second).toMatchObject({ code: 1, stderr: `listen EADDRINUSE: address already in use 127.0.0.1:${port}\n` })
  await end(listener)
})

test('a line has no control characters, whatever names say', () => {
  const event = { id, type: 'import.failed', timestamp: '', data: { ...data, jobId: 'a\u001b[2J\n\u009b\u202e' } }
  const line = eventLine(event as WebhookEvent, new Date(0))
  expect(line).toContain('crm/a\uFFFD[2J\uFFFD\uFFFD\uFFFD')
})

test('events of a newer service are lines too', () => {
  const event = { id, type: 'planet.moved', timestamp: '', data: { id } } as unknown as WebhookEvent
  expect(eventLine(event, new Date(0))).toBe(`1970-01-01T00:00:00.000Z planet.moved           ${id} `)
})

async function send(url: string, { body, secret: by = secret }: { body: string; secret?: string }): Promise<number> {
  const headers = signatureHeaders({ id, at: new Date(), body }, [by])
  return (await fetch(url, { method: 'POST', headers, body })).status
}

/** It says where it listens on stderr, so that stdout has events alone. */
function urlOf({ child, exited, output }: RunningCli): Promise<string> {
  return new Promise((resolve, reject) => {
    child.stderr?.on('data', () => {
      const [url] = /http:\/\/127\.0\.0\.1:\d+/.exec(output().stderr) ?? []
      if (url) resolve(url)
    })
    exited.then(() => reject(new Error(output().stderr)))
  })
}

async function end(listener: RunningCli): Promise<void> {
  listener.child.kill('SIGTERM')
  expect(await listener.exited).toBe(0)
}
