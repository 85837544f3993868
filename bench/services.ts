// Owns the services that a benchmark runs against: Postgres and Redis of its own, on this machine, and other
// processes of this benchmark, all ended with it.
import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import { type OpenDatabase, openDatabase } from '../src/db/client.ts'
import { migrate } from '../src/db/migrate.ts'
import { startEmbeddedPostgres } from '../src/embedded/postgres.ts'
import { migrateQueue } from '../src/queue/migrate.ts'
import { closeWhenInterrupted } from './interrupted.ts'

export interface BenchDatabase {
  databaseUrl: string
  database: OpenDatabase
  close(): Promise<void>
}

export interface BenchServices extends BenchDatabase {
  redisUrl: string
  redisPid: number
}

/** Postgres alone, migrated. */
export function startDatabase(settings: Readonly<Record<string, string>> = {}): Promise<BenchDatabase> {
  return closedWithProcess((opened) => openMigrated(opened, settings))
}

export function startServices(): Promise<BenchServices> {
  return closedWithProcess(async (opened) => {
    const redis = await startRedis()
    opened.defer(() => redis.close())
    const database = await openMigrated(opened, {})
    await migrateQueue(database.database.pool)
    return { ...database, redisUrl: redis.url, redisPid: redis.pid }
  })
}

/** Closes what was opened, once: when it is asked to, where it can't be opened whole, and when the benchmark is interrupted. */
async function closedWithProcess<Opened>(
  open: (opened: AsyncDisposableStack) => Promise<Opened>,
): Promise<Opened & { close(): Promise<void> }> {
  const opened = new AsyncDisposableStack()
  let closing: Promise<void> | undefined
  const close = () => {
    closing ??= opened.disposeAsync()
    return closing
  }
  opened.defer(closeWhenInterrupted(close))
  try {
    return { ...(await open(opened)), close }
  } catch (error) {
    await close()
    throw error
  }
}

async function openMigrated(opened: AsyncDisposableStack, settings: Readonly<Record<string, string>>) {
  const directory = await mkdtemp(join(tmpdir(), 'import-tracker-bench-'))
  opened.defer(() => rm(directory, { recursive: true, force: true }))
  const pools = opened.use(new AsyncDisposableStack())
  const starting = startEmbeddedPostgres({ directory, settings })
  // Before the pool is closed: that waits for statements, which the server's stop ends.
  opened.defer(() =>
    starting.then(
      (postgres) => postgres.stop(),
      () => {},
    ),
  )
  const { url } = await starting
  const database = openDatabase(url, { maxConnections: 5, onError: () => {}, silentForMs: 300_000 })
  pools.defer(() => database.close())
  await migrate(database)
  return { databaseUrl: url, database }
}

/** Another process of this benchmark, from a file beside this one; it says `ready` by a message. */
export async function startProcess(file: string, options: object): Promise<{ child: ChildProcess; ready: unknown }> {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), [JSON.stringify(options)], { stdio: 'inherit' })
  const [ready] = await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() => Promise.reject(new Error(`${file} ended before it was ready.`))),
  ])
  return { child, ready }
}

/** A question to another process, answered by one message. */
export async function ask<Answer>(child: ChildProcess, question: string): Promise<Answer> {
  child.send(question)
  const [answer] = await once(child, 'message')
  return answer as Answer
}

export async function endProcess(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  await ended
}

/** By itself or by a signal: Ctrl-C reaches all processes of a benchmark. */
function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null
}

async function startRedis(): Promise<{ url: string; pid: number; close(): Promise<void> }> {
  const port = await freePort()
  const server = spawn(
    'redis-server',
    ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--maxmemory-policy', 'noeviction'],
    {
      stdio: 'ignore',
    },
  )
  const client = new Redis({ port, retryStrategy: () => 50, maxRetriesPerRequest: 100 })
  client.on('error', () => {}) // until it listens
  await client.ping()
  client.disconnect()
  return {
    url: `redis://127.0.0.1:${port}`,
    pid: server.pid ?? 0,
    close: () => endProcess(server),
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  return typeof address === 'object' && address ? address.port : 0
}
