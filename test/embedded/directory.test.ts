import { chmod, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openDirectory } from '../../src/embedded/directory.ts'
import { startEmbeddedPostgres } from '../../src/embedded/postgres.ts'
import { readAdminToken, readEncryptionKeys } from '../../src/embedded/secrets.ts'

let home: string
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'import-tracker-directory-'))
  await chmod(home, 0o755)
})
afterAll(() => rm(home, { recursive: true }))

test.each(['a"b', 'a`id`b', 'a$(id)b', 'a$HOME', 'a\\b', 'a\nb', 'a\rb'])(
  'what the shell would read otherwise (%j) is refused, and nothing is made',
  async (name) => {
    const expected = { name: 'EmbeddedError', message: expect.stringMatching(/^DATA_DIR must not hold /) }
    for (const open of [openDirectory, readAdminToken, readEncryptionKeys])
      await expect(open(join(home, name))).rejects.toMatchObject(expected)
    await expect(startEmbeddedPostgres({ directory: join(home, name, 'below') })).rejects.toMatchObject(expected)
    expect(await readdir(home)).not.toContain(name)
  },
)

test('spaces, apostrophes and what else a name may hold work', async () => {
  const directory = join(home, "it's; a & (dir) * ü #1")
  await mkdir(directory, { mode: 0o755 })
  const postgres = await startEmbeddedPostgres({ directory, settings: { fsync: 'off' } })
  await postgres.stop()
  expect(await readdir(join(directory, 'postgres'))).toEqual(['data', 'password', 'postgres.log'])
})
