import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readAdminToken, readEncryptionKeys } from '../../src/embedded/secrets.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'import-tracker-secrets-'))
})
afterEach(() => rm(directory, { recursive: true }))

test('a first start makes them, for their owner alone, and leaves nothing else', async () => {
  await readAdminToken(directory)
  await readEncryptionKeys(directory)
  expect((await readdir(directory)).sort()).toEqual(['admin-token', 'encryption-keys'])
  for (const name of ['admin-token', 'encryption-keys'])
    expect((await stat(join(directory, name))).mode & 0o777).toBe(0o600)
})

test('a second start reads the same', async () => {
  const { token, isNew } = await readAdminToken(directory)
  expect(isNew).toBe(true)
  const keys = await readEncryptionKeys(directory)
  expect(keys.map((key) => key.length)).toEqual([32])
  expect(await readAdminToken(directory)).toEqual({ token, file: join(directory, 'admin-token'), isNew: false })
  expect(await readEncryptionKeys(directory)).toEqual(keys)
})

test('several that start at once agree', async () => {
  const tokens = await Promise.all(Array.from({ length: 8 }, () => readAdminToken(directory)))
  expect(new Set(tokens.map(({ token }) => token)).size).toBe(1)
})

test('a directory that is missing is made', async () => {
  expect((await readAdminToken(join(directory, 'a/b'))).token).toHaveLength(43)
})

test('the file may hold older keys after the first one', async () => {
  await readEncryptionKeys(directory)
  const file = join(directory, 'encryption-keys')
  await writeFile(file, `${Buffer.alloc(32, 7).toString('base64')},${await readFile(file, 'utf8')}`)
  const keys = await readEncryptionKeys(directory)
  expect(keys).toHaveLength(2)
  expect(keys[0]).toEqual(Buffer.alloc(32, 7))
})

test('keys that are missing although there are data are not made anew', async () => {
  await mkdir(join(directory, 'postgres'))
  await expect(readEncryptionKeys(directory)).rejects.toThrow(/encryption-keys is missing.*restore it from a backup/)
})

test.each(['', 'short', 'bm90IDMyIGJ5dGVz'])('a file with %j for keys is refused by name', async (text) => {
  await writeFile(join(directory, 'encryption-keys'), text)
  await expect(readEncryptionKeys(directory)).rejects.toThrow(/encryption-keys must hold keys of 32 bytes/)
})

test('a file with too short a token is refused by name', async () => {
  await writeFile(join(directory, 'admin-token'), 'short')
  await expect(readAdminToken(directory)).rejects.toThrow(/admin-token holds no token/)
})
