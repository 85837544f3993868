import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
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

test('a database that does not answer is one line', async () => {
  const environment = { DATABASE_URL: 'postgres://127.0.0.1:1/none', ENCRYPTION_KEYS: key(1) }
  const { code, stderr } = await runCli(['migrate'], environment)
  expect({ code, stderr }).toEqual({ code: 1, stderr: 'connect ECONNREFUSED 127.0.0.1:1\n' })
})

test('migrate brings an empty database up to date, and may be run again', async () => {
  await database.pool.query('DROP SCHEMA public CASCADE; DROP SCHEMA drizzle CASCADE; CREATE SCHEMA public')
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
    code: 1,
    stderr: expect.stringContaining('It must be a port'),
  })
  expect(await runCli(['fly'], {})).toMatchObject({ code: 1 })
})
