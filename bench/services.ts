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

export interface BenchServices {
  databaseUrl: string
  database: OpenDatabase
  redisUrl: string
  close(): Promise<void>
}

export async function startServices(): Promise<BenchServices> {
  const directory = await mkdtemp(join(tmpdir(), 'import-tracker-bench-'))
  const postgres = await startEmbeddedPostgres({ directory })
  const redis = await startRedis()
  const database = openDatabase(postgres.url, { maxConnections: 5, onError: () => {} })
  await migrate(database)
  await migrateQueue(database.pool)
  return {
    databaseUrl: postgres.url,
    database,
    redisUrl: redis.url,
    async close() {
      await database.close()
      await redis.close()
      await postgres.stop()
      await rm(directory, { recursive: true, force: true })
    },
  }
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
  if (child.exitCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  await ended
}

async function startRedis(): Promise<{ url: string; close(): Promise<void> }> {
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
    async close() {
      const ended = once(server, 'exit')
      server.kill('SIGTERM')
      await ended
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  return typeof address === 'object' && address ? address.port : 0
}
