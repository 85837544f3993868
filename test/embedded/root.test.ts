import { chmod, cp, mkdir, mkdtemp, realpath, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chooseAccount } from '../../src/embedded/account.ts'
import { type Binaries, findBinaries } from '../../src/embedded/binaries.ts'
import { EmbeddedError } from '../../src/embedded/error.ts'
import { startEmbeddedPostgres } from '../../src/embedded/postgres.ts'
import { type Account, run } from '../../src/embedded/run.ts'

describe.skipIf(process.getuid?.() !== 0)('as root', () => {
  let closed: string
  let binaries: Binaries

  /** A directory that only root may enter, as /root is, with a checkout's binaries in it. */
  beforeAll(async () => {
    closed = await realpath(await mkdtemp(join(tmpdir(), 'import-tracker-root-')))
    await chmod(closed, 0o700)
    binaries = await findBinaries()
    const native = join(binaries.postgres, '../..')
    await cp(native, join(closed, 'native'), { recursive: true })
  })
  afterAll(() => rm(closed, { recursive: true }))

  test('Postgres runs as the user postgres, who owns its directory', async () => {
    const directory = join(closed, 'owned')
    const postgres = await startEmbeddedPostgres({ directory })
    const { uid } = await stat(join(directory, 'postgres/data'))
    expect(uid).toBe(Number((await run({ prefix: [] }, 'id', ['-u', 'postgres'])).output))
    expect((await stat(join(directory, 'postgres/data/postmaster.pid'))).uid).toBe(uid)
    await postgres.stop()
  })

  test('a directory that belongs to another user is served as that user', async () => {
    const directory = join(closed, 'of-another')
    await mkdir(directory)
    const id = 12_345
    await run({ prefix: [] }, 'chown', [`${id}:${id}`, directory])
    const account = await chooseAccount(binaries, directory)
    expect((await run(account, 'id', ['-u'])).output).toBe(String(id))
  })

  test('binaries and data below a directory that only root may enter are reached', async () => {
    const own: Binaries = {
      major: binaries.major,
      initdb: join(closed, 'native/bin/initdb'),
      pgCtl: join(closed, 'native/bin/pg_ctl'),
      postgres: join(closed, 'native/bin/postgres'),
    }
    const directory = join(closed, 'reached')
    await mkdir(directory)
    await writeFile(join(directory, 'password'), 'password', { mode: 0o600 })
    const account = await chooseAccount(own, directory)
    const options = [`--pgdata=${join(directory, 'data')}`, `--pwfile=${join(directory, 'password')}`, '--no-sync']
    const made = await run(account, own.initdb, options)
    expect(made).toMatchObject({ code: 0 })
    expect(await capabilities(account)).toMatch(/^CapPrm:\s+0+[24]$/) // one of them, and not all of root's
  })

  test('what cannot be reached is said in one sentence', async () => {
    const directory = join(closed, 'unreached')
    await mkdir(directory)
    const missing = { ...binaries, postgres: join(closed, 'missing') }
    const refused = chooseAccount(missing, directory)
    await expect(refused).rejects.toThrow(EmbeddedError)
    await expect(refused).rejects.toThrow(/^PostgreSQL refuses to run as root.*set DATABASE_URL\.$/)
  })

  async function capabilities(account: Account): Promise<string> {
    return (await run(account, 'grep', ['CapPrm', '/proc/self/status'])).output
  }
})
