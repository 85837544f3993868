// Owns PostgreSQL's server process: finding, starting and stopping the one of a data directory.
import { readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import type { Binaries } from './binaries.ts'
import type { Cluster } from './cluster.ts'
import { EmbeddedError } from './error.ts'
import { run } from './run.ts'

/** A live server. `isReady`: it accepts connections; otherwise it is starting or stopping. */
export interface Postmaster {
  pid: number
  port: number
  isReady: boolean
}

/** Returns the server that runs on the data directory, by its `postmaster.pid`. Returns null if none does. */
export async function findPostmaster(data: string): Promise<Postmaster | null> {
  const file = join(data, 'postmaster.pid')
  const lines = (await readFile(file, 'utf8').catch(() => '')).split('\n')
  const pid = Number(lines[0])
  if (!isAlive(pid)) return null // PostgreSQL itself removes the file of a dead server
  if (await isNoServer(pid)) {
    await rm(file, { force: true }) // another program has this id, which would keep PostgreSQL from starting
    return null
  }
  const status = lines[7]?.trim()
  return { pid, port: Number(lines[3]), isReady: status === 'ready' && Number(lines[3]) > 0 }
}

/**
 * Starts a server on the loopback address alone. If two processes do so at once, one server starts.
 * @param port null: a free one.
 * @param settings server parameters besides those that make the server private.
 * @returns null if it runs; otherwise its last words.
 */
export async function startPostmaster(
  binaries: Binaries,
  cluster: Cluster,
  settings: Readonly<Record<string, string>>,
  port: number | null = null,
): Promise<string | null> {
  const all = {
    port: String(port ?? (await freePort())),
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    log_checkpoints: 'off',
    timezone: 'UTC',
    log_timezone: 'UTC',
    ...settings,
  }
  const options = Object.entries(all).map(([name, value]) => `-c ${name}=${value}`)
  const started = await run(cluster.account, binaries.pgCtl, [
    'start',
    '--wait',
    '--timeout=60',
    `--pgdata=${cluster.data}`,
    `--log=${cluster.logFile}`,
    `--options=${options.join(' ')}`,
  ])
  if (started.code === 0) return null
  const said = (await readFile(cluster.logFile, 'utf8').catch(() => '')).trimEnd().split('\n').slice(-3).join(' ')
  return said === '' ? started.output : said
}

/** Continues a server that somebody has stopped (SIGSTOP). A stopped server can neither answer nor end. */
export function wake({ pid }: Postmaster): void {
  try {
    process.kill(pid, 'SIGCONT')
  } catch {
    // the server has just ended
  }
}

/** Stops the server: ends open sessions and writes out data. */
export async function stopPostmaster(binaries: Binaries, cluster: Cluster): Promise<void> {
  const stop = (mode: 'fast' | 'immediate') =>
    run(cluster.account, binaries.pgCtl, [
      'stop',
      '--wait',
      '--timeout=8',
      `--mode=${mode}`,
      `--pgdata=${cluster.data}`,
    ])
  const running = await findPostmaster(cluster.data)
  if (running) wake(running)
  if ((await stop('fast')).code === 0 || !(await findPostmaster(cluster.data))) return
  const last = await stop('immediate') // loses nothing either, because the next start recovers
  if (last.code !== 0 && (await findPostmaster(cluster.data)))
    throw new EmbeddedError(`PostgreSQL in ${cluster.data} doesn't stop: ${last.output}`)
}

/** Returns true if a process of any user has this id. */
export function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/**
 * Returns true if /proc shows for sure that this is no server: another program with its id, or a process waiting to be
 * reaped.
 */
async function isNoServer(pid: number): Promise<boolean> {
  const [command = ''] = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0')
  if (command !== '') return !/(^|\/)(postgres|pg_ctl)\b/.test(command)
  return /\) Z /.test(await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ''))
}

export function isPortFree(port: number): Promise<boolean> {
  return freePort(port).then(
    () => true,
    () => false,
  )
}

/** @param port 0: any. */
function freePort(port = 0): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', reject)
    server.listen(port, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}
