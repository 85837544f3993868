// Owns Postgres and Redis without containers: what the package brings, and what the machine has.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { startEmbeddedPostgres } from '../../src/embedded/postgres.ts'
import type { Service } from './services.ts'

/** The embedded Postgres in a temporary directory, which need not outlive a crash. */
export async function startLocalPostgres(): Promise<Service> {
  const directory = await mkdtemp(join(tmpdir(), 'import-tracker-postgres-'))
  await chmod(directory, 0o755) // as root, another user runs Postgres in it
  const postgres = await startEmbeddedPostgres({
    directory,
    settings: { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: '300' },
  })
  return {
    url: postgres.url,
    async stop() {
      await postgres.stop()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** A redis-server of our own on a free port; null where it isn't installed or doesn't start. */
export async function startLocalRedis(): Promise<Service | null> {
  const port = await freePort()
  const directory = await mkdtemp(join(tmpdir(), 'import-tracker-redis-'))
  const options = {
    port,
    bind: '127.0.0.1',
    dir: directory,
    save: '',
    databases: 256,
    'maxmemory-policy': 'noeviction',
  }
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)])
  const child = spawn('redis-server', args, { stdio: 'ignore' })
  const gone = new Promise<void>((resolve) => child.once('error', () => resolve()).once('exit', () => resolve()))
  const url = `redis://127.0.0.1:${port}`
  const stop = async () => {
    child.kill()
    await gone
    await rm(directory, { recursive: true, force: true })
  }
  if (await answers(url, gone)) return { url, stop }
  await stop()
  return null
}

/** Whether it answers before it is gone. */
async function answers(url: string, gone: Promise<void>): Promise<boolean> {
  const redis = new Redis(url, { maxRetriesPerRequest: null, retryStrategy: () => 50 })
  redis.on('error', () => {})
  try {
    return await Promise.race([redis.ping().then(() => true), gone.then(() => false)])
  } finally {
    redis.disconnect()
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port')
  return address.port
}
