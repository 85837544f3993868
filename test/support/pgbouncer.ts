// Owns a PgBouncer between a test and its database.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'

/** False: it isn't installed here, and its tests are skipped. */
export const isPgBouncerThere = spawnSync('pgbouncer', ['--version']).status === 0
if (!isPgBouncerThere) console.warn('No PgBouncer: tests on it are skipped. Install pgbouncer.')

export interface PgBouncer {
  /** The database, through it. */
  url: string
  stop(): Promise<void>
}

/** Starts one in transaction mode before a database. @param settings more lines of its configuration. */
export async function startPgBouncer(databaseUrl: string, settings: Record<string, string> = {}): Promise<PgBouncer> {
  const directory = await mkdtemp(join(tmpdir(), 'import-tracker-pgbouncer-'))
  await chmod(directory, 0o755) // as root, another user runs it
  const port = await freePort()
  const { hostname, port: serverPort, username, password, pathname } = new URL(databaseUrl)
  const all = {
    listen_addr: '127.0.0.1',
    listen_port: String(port),
    unix_socket_dir: '',
    auth_type: 'any',
    pool_mode: 'transaction',
    default_pool_size: '20',
    max_client_conn: '500',
    ...settings,
  }
  const file = join(directory, 'pgbouncer.ini')
  const server = `host=${hostname} port=${serverPort} user=${username} password=${password}`
  const lines = Object.entries(all).map(([name, value]) => `${name} = ${value}`)
  await writeFile(file, ['[databases]', `* = ${server}`, '[pgbouncer]', ...lines, ''].join('\n'))
  const asUser = process.getuid?.() === 0 ? ['--user=postgres'] : []
  const child = spawn('pgbouncer', [...asUser, file], { stdio: 'ignore' })
  const gone = once(child, 'exit')
  const url = `postgres://${username}@127.0.0.1:${port}${pathname}`
  const stop = async () => {
    child.kill('SIGINT')
    await gone
    await rm(directory, { recursive: true })
  }
  while (child.exitCode === null && !(await answers(url))) await new Promise((resolve) => setTimeout(resolve, 20))
  if (child.exitCode !== null) throw new Error('PgBouncer must start')
  return { url, stop }
}

async function answers(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url })
  client.on('error', () => {})
  try {
    await client.connect()
    return true
  } catch {
    return false
  } finally {
    await client.end().catch(() => {})
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
