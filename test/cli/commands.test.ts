import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isMigrated } from '../../src/db/migrate.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { runCli, startCli } from './run.ts'

const key = (byte: number) => Buffer.alloc(32, byte).toString('base64')

let directory: string
let database: TestDatabase
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'import-tracker-cli-'))
  database = await createTestDatabase()
})
afterAll(async () => {
  await database.close()
  await rm(directory, { recursive: true })
})

test('a wrong configuration is a line a variable, without a stack', async () => {
  const { code, stderr } = await runCli([], { DATA_DIR: directory, PORT: 'http', LOG_LEVEL: 'loud' })
  expect(code).toBe(1)
  expect(stderr.trim().split('\n')).toEqual([
    expect.stringMatching(/^PORT must be a port number\.$/),
    expect.stringMatching(/^LOG_LEVEL must be one of /),
  ])
})

test.each([['migrate'], ['rotate-keys'], ['serve']])(
  '%s says of a database that does not answer which variable names it',
  async (command) => {
    const environment = { DATABASE_URL: 'postgres://127.0.0.1:1/none', ENCRYPTION_KEYS: `${key(1)},${key(2)}` }
    const { code, stderr } = await runCli([command], environment)
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'DATABASE_URL must lead to a database that lets this service in: connect ECONNREFUSED 127.0.0.1:1.\n',
    })
  },
)

test('a database that is not there is the fault of DATABASE_URL', async () => {
  const url = new URL(database.url)
  url.pathname = '/none'
  const { code, stderr } = await runCli(['migrate'], { DATABASE_URL: url.href, ENCRYPTION_KEYS: key(1) })
  expect(code).toBe(1)
  expect(stderr).toMatch(/^DATABASE_URL must lead to .*: database "none" does not exist\.\n$/)
})

describe('the service says in a line why it doesn’t start', () => {
  const serve = (environment: Record<string, string>) =>
    runCli([], { DATABASE_URL: database.url, ENCRYPTION_KEYS: key(1), PORT: '0', ...environment })

  test('another program has its port', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    const { code, stderr } = await serve({ PORT: String(port) })
    other.close()
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: `PORT must be free: another program listens on 127.0.0.1:${port}.\n`,
    })
  })

  test.each(['192.0.2.1', 'host.invalid'])('it can’t listen on %s', async (HOST) => {
    const { code, stderr } = await serve({ HOST })
    expect(code).toBe(1)
    expect(stderr).toMatch(/^HOST must be this machine's address: .+\.\n$/)
  })

  test('its Redis is away', async () => {
    const { code, stdout, stderr } = await serve({ REDIS_URL: 'redis://127.0.0.1:1' })
    expect({ code, stdout, stderr }).toEqual({
      code: 1,
      stdout: '',
      stderr: 'REDIS_URL must lead to a Redis that lets this service in: connect ECONNREFUSED 127.0.0.1:1.\n',
    })
  })

  test('DATA_DIR is a file, or below one', async () => {
    const file = join(directory, 'file')
    await writeFile(file, '')
    for (const dataDir of [file, join(file, 'below')]) {
      const { code, stderr } = await runCli([], { DATA_DIR: dataDir, PORT: '0' })
      expect(code).toBe(1)
      expect(stderr).toMatch(/^DATA_DIR must be a directory that can be written to: E\w+: .+\.\n$/)
    }
  })

  test.skipIf(process.getuid?.() === 0)('DATA_DIR may not be written to', async () => {
    const locked = join(directory, 'locked')
    await mkdir(locked, { mode: 0o500 })
    for (const dataDir of [locked, join(locked, 'below')]) {
      const { code, stderr } = await runCli([], { DATA_DIR: dataDir, PORT: '0' })
      expect(code).toBe(1)
      expect(stderr).toMatch(/^DATA_DIR must be a directory that can be written to: EACCES: .+\.\n$/)
    }
  })
})

test('migrate brings an empty database up to date, and may be run again', async () => {
  await database.pool.query('DROP SCHEMA public, reporting, drizzle CASCADE; CREATE SCHEMA public')
  expect(await isMigrated(database)).toBe(false)
  const environment = { DATABASE_URL: database.url, ENCRYPTION_KEYS: key(1) }
  expect((await runCli(['migrate'], environment)).stderr).toBe('')
  expect((await runCli(['migrate'], environment)).code).toBe(0)
  expect(await isMigrated(database)).toBe(true)
})

test('rotate-keys says how much it re-encrypted', async () => {
  const environment = { DATABASE_URL: database.url, ENCRYPTION_KEYS: `${key(2)},${key(1)}` }
  const { code, stdout } = await runCli(['rotate-keys'], environment)
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout: '0 connections re-encrypted\n0 webhook endpoints re-encrypted\n',
  })
})

test('rotate-keys needs the old key beside the new one', async () => {
  const { code, stderr } = await runCli(['rotate-keys'], { DATABASE_URL: database.url, ENCRYPTION_KEYS: key(2) })
  expect({ code, stderr }).toEqual({ code: 1, stderr: 'ENCRYPTION_KEYS must hold the new key, then the old ones.\n' })
})

test('sandbox serves until it is told to stop', async () => {
  const sandbox = startCli(['sandbox', '--port', '0'], {})
  const [url] = await sandbox.said(/http:\S+\d/)
  expect((await fetch(`${url}`)).status).toBeLessThan(500)
  sandbox.child.kill('SIGTERM')
  expect(await sandbox.exited).toBe(0)
})

test('an unknown command and a wrong option are refused', async () => {
  expect(await runCli(['sandbox', '--port', 'x'], {})).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('It must be a port'),
  })
  expect(await runCli(['fly'], {})).toMatchObject({ code: 2, stderr: "error: unknown command 'fly'\n" })
  expect(await runCli(['imprts', 'list'], {})).toMatchObject({
    code: 2,
    stderr: "error: unknown command 'imprts'\n(Did you mean imports?)\n",
  })
})

test.each([
  [['login', 'a-secret-token'], "error: too many arguments for 'login'. Expected 0 arguments but got 1.\n"],
  [['login', '--token=a-secret-token'], "error: unknown option '--token'\n"],
  [['imports', 'list', '--token', 'a-secret-token'], "error: unknown option '--token'\n"],
])('a token that is given where it has no place is not told: %j', async (args, stderr) => {
  expect(await runCli(args, {})).toEqual({ code: 2, stdout: '', stderr })
})
