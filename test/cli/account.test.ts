import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { findAccount, keepAccount, NotSignedInError, readUrl } from '../../src/cli/account.ts'
import { keepUrl } from '../../src/embedded/kept-url.ts'

let directory: string
let environment: Record<string, string>
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'import-tracker-account-'))
  environment = { XDG_CONFIG_HOME: join(directory, 'config'), DATA_DIR: join(directory, 'data') }
})
afterEach(() => rm(directory, { recursive: true }))

const production = { url: 'https://tracker.example.com', token: 'token-of-production' }
const staging = { url: 'https://staging.example.com', token: 'token-of-staging' }

test.runIf(process.platform === 'linux')('a place without directories is refused, not waited for', async () => {
  await expect(keepAccount({ XDG_CONFIG_HOME: '/proc/none' }, 'default', production)).rejects.toThrow('/proc/none')
})

test('nobody is signed in at first', async () => {
  await expect(findAccount(environment, undefined)).rejects.toThrow(NotSignedInError)
  await expect(findAccount(environment, 'staging')).rejects.toThrow('with the profile staging')
})

test('profiles are kept beside each other, for their owner alone', async () => {
  await keepAccount(environment, 'default', production)
  const file = await keepAccount(environment, 'staging', staging)
  expect(file).toBe(join(directory, 'config/import-tracker/config.json'))
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  expect(await findAccount(environment, undefined)).toEqual(production)
  expect(await findAccount(environment, 'staging')).toEqual(staging)
})

test.each(['constructor', '__proto__', 'toString'])(
  'a profile may be named %s, and is unknown until then',
  async (name) => {
    await keepAccount(environment, 'default', production)
    await expect(findAccount(environment, name)).rejects.toThrow(NotSignedInError)
    await keepAccount(environment, name, staging)
    expect(await findAccount(environment, name)).toEqual(staging)
    expect(await findAccount(environment, undefined)).toEqual(production)
  },
)

test('the environment comes first', async () => {
  await keepAccount(environment, 'default', production)
  const given = { ...environment, IMPORT_TRACKER_URL: 'http://127.0.0.1:1/base/', IMPORT_TRACKER_TOKEN: 'other' }
  expect(await findAccount(given, undefined)).toEqual({ url: 'http://127.0.0.1:1/base', token: 'other' })
})

test('a kept token goes to no other URL than its own', async () => {
  await keepAccount(environment, 'default', production)
  const at = (url: string) => findAccount({ ...environment, IMPORT_TRACKER_URL: url }, undefined)
  expect(await at(production.url)).toEqual(production)
  await expect(at('https://elsewhere.example.com')).rejects.toThrow(NotSignedInError)
})

test('an embedded service says where it listens, whatever its port, until it stops', async () => {
  const data = join(directory, 'data')
  await mkdir(data)
  await writeFile(join(data, 'admin-token'), 'embedded-token\n')
  const forget = await keepUrl(data, 'http://0.0.0.0:4321/imports')
  expect(await findAccount({ ...environment, PORT: '3000' }, undefined)).toEqual({
    url: 'http://127.0.0.1:4321/imports',
    token: 'embedded-token',
  })
  expect((await stat(join(data, 'url'))).mode & 0o777).toBe(0o600)
  await forget()
  expect(await findAccount(environment, undefined)).toMatchObject({ url: 'http://127.0.0.1:3000' })
})

test('beside an embedded service both are found', async () => {
  await mkdir(join(directory, 'data'))
  await writeFile(join(directory, 'data/admin-token'), 'embedded-token\n')
  const embedded = { url: 'http://127.0.0.1:3000', token: 'embedded-token' }
  expect(await findAccount(environment, undefined)).toEqual(embedded)
  const elsewhere = { ...environment, PORT: '4000', BASE_PATH: '/tracker/' }
  expect((await findAccount(elsewhere, undefined)).url).toBe('http://127.0.0.1:4000/tracker')
  for (const url of ['http://localhost:3000', 'http://[::1]:3000'])
    expect(await findAccount({ ...environment, IMPORT_TRACKER_URL: url }, undefined)).toEqual(embedded)
  for (const url of ['http://localhost.example.com:3000', 'http://localhost:3001', 'https://localhost:3000'])
    await expect(findAccount({ ...environment, IMPORT_TRACKER_URL: url }, undefined)).rejects.toThrow(NotSignedInError)
  await keepAccount(environment, 'default', production)
  expect(await findAccount(environment, undefined)).toEqual(production)
})

test.each([
  '',
  '{',
  '{"profiles": [1]}',
  '{"profiles": {"default": {"url": "nonsense", "token": "x"}}}',
  '{"profiles": {"default": {"url": "https://tracker.example.com", "token": "to\\nken"}}}',
])('a file that login didn’t write is left alone: %s', async (text) => {
  const file = await keepAccount(environment, 'default', production)
  await writeFile(file, text)
  await expect(findAccount(environment, undefined)).rejects.toThrow('sign in again')
  await expect(keepAccount(environment, 'default', staging)).rejects.toThrow('sign in again')
  expect(await readFile(file, 'utf8')).toBe(text)
})

test.each(['tracker.example.com', 'ftp://example.com', 'https://me:secret@example.com', 'https://example.com?a=1'])(
  'the URL %s is refused, without being told',
  (url) => {
    expect(() => readUrl(url)).toThrow(/^The URL of the service must be [^@]+$/)
  },
)

test('a token that no header can carry is refused, without being told', async () => {
  const given = { ...environment, IMPORT_TRACKER_URL: production.url, IMPORT_TRACKER_TOKEN: 'to\nken' }
  await expect(findAccount(given, undefined)).rejects.toThrow(/^The token must be visible ASCII without spaces\.$/)
})
