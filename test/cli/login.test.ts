// Signing in on a terminal: what is typed isn't shown, and nothing is kept that the service doesn't accept.
import { once } from 'node:events'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import type { Service } from '../../src/app/service.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { startTestService } from '../support/service.ts'
import { startInTerminal } from '../support/terminal.ts'
import { adminToken } from '../support/worlds/ground.ts'
import { main, runCli } from './run.ts'

let database: TestDatabase
let service: Service
let directory: string
let file: string
beforeAll(async () => {
  database = await createTestDatabase()
  service = await startTestService({ database })
})
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'import-tracker-login-'))
  file = join(directory, '.config/import-tracker/config.json')
  return () => rm(directory, { recursive: true })
})
afterAll(async () => {
  await service.stop()
  await database.close()
})

/** Answers the prompt with these keys. */
async function login(keys: string, options: string[] = []) {
  const command = [process.execPath, main, 'login', '--url', service.url, ...options]
  const size = { rows: 24, columns: 120 }
  const running = startInTerminal(command, { HOME: directory, DATA_DIR: directory }, size)
  await vi.waitFor(() => expect(running.output()).toContain(`Token for ${service.url}: `))
  running.press(keys)
  return { code: await running.exited, output: running.output() }
}

test('the token is asked for, not shown, and kept for its owner alone', async () => {
  const { code, output } = await login(`${adminToken}\r`)
  expect(output).toContain(`Signed in to ${service.url} as bootstrap (admin); the token is kept in ${file}.`)
  expect({ code, shown: output.includes(adminToken.slice(0, 8)) }).toEqual({ code: 0, shown: false })
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  expect((await stat(join(file, '..'))).mode & 0o777).toBe(0o700)
  expect((await runCli(['whoami'], { HOME: directory })).stdout).toBe(`bootstrap (admin) at ${service.url}\n`)
})

test('a token that is mended while it is typed is taken as it ends', async () => {
  const { code } = await login(`${adminToken}xyz\u007f\u007f\u007f\r`)
  expect(code).toBe(0)
})

test.each([
  ['a wrong token', 'a-wrong-token-0123456789\r', 8, /token/i],
  ['nothing', '\r', 1, /The token must be visible ASCII/],
  ['a token with a space', 'to ken\r', 1, /The token must be visible ASCII/],
  ['Ctrl-C', 'a-tok\u0003', 130, /: \r?\n/],
])('%s is told, not shown, and nothing is kept', async (_what, keys, status, told) => {
  const { code, output } = await login(keys)
  expect({ code, output }).toEqual({ code: status, output: expect.stringMatching(told) })
  if (keys !== '\r') expect(output).not.toContain(keys.slice(0, 5))
  await expect(stat(file)).rejects.toThrow('ENOENT')
})

test.each([
  ['another service', 200, '{"hello":1}', 1],
  ['a proxy that wants somebody to sign in', 401, '<html>', 8],
] as const)('no token is kept for %s', async (_what, status, body, code) => {
  const other = createServer((_request, response) => response.writeHead(status).end(body)).listen(0, '127.0.0.1')
  await once(other, 'listening')
  const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}`
  const done = await runCli(['login', '--url', url], { HOME: directory }, 'token')
  other.close()
  expect(done).toMatchObject({ code, stdout: '' })
  await expect(stat(file)).rejects.toThrow('ENOENT')
})

test('what was kept stays when another token is refused', async () => {
  await login(`${adminToken}\r`, ['--profile', 'staging'])
  const kept = await readFile(file, 'utf8')
  expect((await login('a-wrong-token-0123456789\r', ['--profile', 'staging'])).code).toBe(8)
  expect(await readFile(file, 'utf8')).toBe(kept)
})
