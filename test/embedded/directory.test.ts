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

test.each([
  ['/proc/x', 'ENOENT'],
  ['/proc/x/y', 'ENOENT'],
  ['/dev/null', 'EEXIST'],
  ['/dev/null/below', 'ENOTDIR'],
  [`/tmp/${'x'.repeat(300)}`, 'ENAMETOOLONG'],
])('%s, where no directory can be, is refused at once and by name', async (path, code) => {
  const message = expect.stringMatching(new RegExp(`^DATA_DIR must be a directory that can be written to: ${code}`))
  await expect(readAdminToken(path)).rejects.toMatchObject({ name: 'EmbeddedError', message })
})

test('a path that PostgreSQL takes for too long is refused by name', async () => {
  const path = join(home, ...Array.from({ length: 10 }, () => 'x'.repeat(100)))
  await expect(openDirectory(path)).rejects.toThrow(/^DATA_DIR must have a path of 800 bytes at the most/)
  expect(await readdir(home)).not.toContain('x'.repeat(100))
})

test('a path of that length serves', async () => {
  const path = join(home, 'y'.repeat(200), 'y'.repeat(200), 'y'.repeat(200), 'y'.repeat(790 - 603 - home.length))
  const postgres = await startEmbeddedPostgres({ directory: path, settings: { fsync: 'off' } })
  await postgres.stop()
})
