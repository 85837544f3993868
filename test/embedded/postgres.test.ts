import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readdir, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Client } from 'pg'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { EmbeddedError } from '../../src/embedded/error.ts'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/embedded/postgres.ts'

const ownerScript = fileURLToPath(new URL('owner.ts', import.meta.url))
/** One data directory that every test starts on; those that need a first start take another. */
let directory: string
const directories: string[] = []
const running: EmbeddedPostgres[] = []
const owners: ChildProcess[] = []

beforeAll(async () => {
  directory = await newDirectory()
})
afterEach(async () => {
  for (const owner of owners.splice(0)) owner.kill('SIGKILL')
  if (running.length === 0) await start() // takes over what a killed owner left
  await Promise.all(running.splice(0).map((postgres) => postgres.stop()))
})
afterAll(() => Promise.all(directories.map((each) => rm(each, { recursive: true }))))

test('the first start makes a UTF-8 database that only a password opens', async () => {
  const { url } = await start()
  expect(await query(url, 'SELECT current_database()')).toBe('import_tracker')
  expect(await query(url, 'SHOW server_encoding')).toBe('UTF8')
  expect(await query(url, "SELECT lower('Ä') = 'ä'")).toBe(true)
  const { username, host, pathname } = new URL(url)
  await expect(query(`postgres://${username}:wrong@${host}${pathname}`, 'SELECT 1')).rejects.toThrow('password')
})

test('it listens on the loopback address alone, on a port of its own, without a socket', async () => {
  const { url } = await start()
  expect(await query(url, 'SHOW listen_addresses')).toBe('127.0.0.1')
  expect(await query(url, 'SHOW unix_socket_directories')).toBe('')
  expect(new URL(url).hostname).toBe('127.0.0.1')
  expect(new URL(url).port).not.toBe('5432')
})

test('its directory is closed to others', async () => {
  await start()
  const modes = await Promise.all(['', 'data', 'password'].map((name) => stat(join(directory, 'postgres', name))))
  expect(modes.map(({ mode }) => mode & 0o077)).toEqual([0, 0, 0])
})

test('a second start finds what the first one stored', async () => {
  const first = await start()
  await query(first.url, 'CREATE TABLE first AS SELECT 7 AS n')
  await first.stop()
  expect(await query((await start()).url, 'SELECT n FROM first')).toBe(7)
})

test('stopping twice is stopping once, and leaves no server', async () => {
  const postgres = await start()
  await Promise.all([postgres.stop(), postgres.stop()])
  await expect(query(postgres.url, 'SELECT 1')).rejects.toThrow('ECONNREFUSED')
  expect(await readdir(join(directory, 'postgres/data'))).not.toContain('postmaster.pid')
})

test('a start after the owner was killed takes the server over, with its data', async () => {
  const owner = await startOwner()
  await query(owner.url, 'CREATE TABLE adopted AS SELECT 7 AS n')
  const pid = await postmasterPid()
  owner.child.kill('SIGKILL')
  await once(owner.child, 'exit')

  const { url } = await start()
  expect(await postmasterPid()).toBe(pid)
  expect(await query(url, 'SELECT n FROM adopted')).toBe(7)
})

test('a start after owner and server were killed recovers the data', async () => {
  const owner = await startOwner()
  await query(owner.url, 'CREATE TABLE recovered AS SELECT 7 AS n')
  const pid = await postmasterPid()
  owner.child.kill('SIGKILL')
  process.kill(pid, 'SIGKILL')

  const { url } = await start()
  expect(await postmasterPid()).not.toBe(pid)
  expect(await query(url, 'SELECT n FROM recovered')).toBe(7)
})

test('a postmaster.pid whose number another program has by now is no obstacle', async () => {
  await (await start()).stop()
  const data = join(directory, 'postgres/data')
  await writeFile(join(data, 'postmaster.pid'), `${process.pid}\n${data}\n1\n5432\n\n127.0.0.1\n1 1\nready   \n`)
  expect(await query((await start()).url, 'SELECT 1')).toBe(1)
})

test('a second process on the same directory is refused by the name of the directory', async () => {
  await startOwner()
  await expect(start()).rejects.toThrow(
    new EmbeddedError(`Another Import Tracker uses ${directory}: stop it, or choose another DATA_DIR.`),
  )
})

test('of two that start at once, one gets it', async () => {
  const fresh = await newDirectory()
  const outcomes = await Promise.allSettled([start(fresh), start(fresh)])
  expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  const [refused] = outcomes.filter((outcome) => outcome.status === 'rejected')
  expect(refused?.reason.message).toMatch('Another Import Tracker uses')
})

test('a server that is killed runs again at the same place, and nobody else gets it meanwhile', async () => {
  const { url } = await start()
  await query(url, 'CREATE TABLE kept AS SELECT 7 AS n')
  const pid = await postmasterPid()
  process.kill(pid, 'SIGKILL')
  const isRefused = async () => {
    const [code] = await once(spawn(process.execPath, [ownerScript, directory], { stdio: 'ignore' }), 'exit')
    expect(code).toBe(1)
  }
  await isRefused()
  await vi.waitFor(async () => expect(await query(url, 'SELECT n FROM kept')).toBe(7), 30_000)
  expect(await postmasterPid()).not.toBe(pid)
  await isRefused()
})

test('a server that starts anew since one of its processes was killed is still ours', async () => {
  const { url } = await start()
  const isLocked = async () =>
    expect(await query(url, "SELECT count(*)::int FROM pg_locks WHERE locktype = 'advisory' AND granted")).toBe(1)
  await isLocked()
  const backend = Number(await query(url, "SELECT pid FROM pg_stat_activity WHERE application_name LIKE '%owner'"))
  process.kill(backend, 'SIGKILL')
  await vi.waitFor(isLocked, 30_000)
})

test('stopping just after the server was killed leaves none', async () => {
  const postgres = await start()
  process.kill(await postmasterPid(), 'SIGKILL')
  await postgres.stop()
  await expect(query(postgres.url, 'SELECT 1')).rejects.toThrow('ECONNREFUSED')
})

test('another program on the port of a server that died is told, and given up on', async () => {
  const { url, lost } = await start()
  const port = Number(new URL(url).port)
  const file = join(directory, 'postgres/data/postgresql.conf')
  await rename(file, `${file}.away`) // it can't start until the other one has its port
  process.kill(await postmasterPid(), 'SIGKILL')
  const other = createServer()
  await vi.waitFor(() => once(other.listen(port, '127.0.0.1'), 'listening'), 10_000)
  await rename(`${file}.away`, file)
  try {
    expect(await lost).toMatchObject({ name: 'PortTakenError', message: expect.stringContaining(String(port)) })
  } finally {
    other.close()
  }
})

test('a server that somebody has stopped is woken to end, and by a start', async () => {
  const first = await start()
  process.kill(await postmasterPid(), 'SIGSTOP')
  await first.stop()
  await expect(query(first.url, 'SELECT 1')).rejects.toThrow('ECONNREFUSED')

  const owner = await startOwner()
  process.kill(await postmasterPid(), 'SIGSTOP')
  owner.child.kill('SIGKILL')
  await once(owner.child, 'exit')
  expect(await query((await start()).url, 'SELECT 1')).toBe(1)
})

test("Ctrl-C in the owner's terminal doesn't reach the server", async () => {
  const { child, url, lines } = await startOwner()
  process.kill(-Number(child.pid), 'SIGINT')
  expect((await lines.next()).value).toBe('SIGINT')
  expect(await query(url, 'SELECT 1')).toBe(1)
})

test('what a kill left of a first start is cleared away', async () => {
  const gone = spawn(process.execPath, ['--version'])
  await once(gone, 'exit')
  const fresh = await newDirectory()
  await mkdir(join(fresh, `postgres.new-${gone.pid}-1`, 'data'), { recursive: true })
  await start(fresh)
  expect(await readdir(fresh)).toEqual(['postgres'])
})

test('data of another major version are refused', async () => {
  await (await start()).stop()
  const file = join(directory, 'postgres/data/PG_VERSION')
  const version = await readFile(file, 'utf8')
  await writeFile(file, '14\n')
  await expect(start()).rejects.toThrow(/was made by PostgreSQL 14, but this is PostgreSQL \d+/)
  await writeFile(file, version)
})

test('a damaged cluster is refused with what PostgreSQL says', async () => {
  await (await start()).stop()
  const file = join(directory, 'postgres/data/global/pg_control')
  const control = await readFile(file)
  await writeFile(file, '')
  await expect(start()).rejects.toThrow(/PostgreSQL doesn't start in .*pg_control/)
  await writeFile(file, control)
})

async function start(where = directory): Promise<EmbeddedPostgres> {
  const postgres = await startEmbeddedPostgres({ directory: where, giveUpPortAfterMs: 1_000 })
  running.push(postgres)
  return postgres
}

/** As root, another user runs Postgres in it. */
async function newDirectory(): Promise<string> {
  const made = await realpath(await mkdtemp(join(tmpdir(), 'import-tracker-embedded-')))
  directories.push(made)
  await chmod(made, 0o755)
  return made
}

/** Another process that owns it, in a process group of its own like a terminal's job. */
async function startOwner() {
  const child = spawn(process.execPath, [ownerScript, directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  })
  owners.push(child)
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  const url = String((await lines.next()).value)
  return { child, url, lines }
}

async function postmasterPid(): Promise<number> {
  return Number((await readFile(join(directory, 'postgres/data/postmaster.pid'), 'utf8')).split('\n')[0])
}

/** The first column of the first row. */
async function query(url: string, sql: string): Promise<unknown> {
  const client = new Client({ connectionString: url })
  client.on('error', () => {}) // the server may be killed while this is open
  await client.connect()
  try {
    return Object.values((await client.query(sql)).rows[0] ?? {})[0]
  } finally {
    await client.end()
  }
}
