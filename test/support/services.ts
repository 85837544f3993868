// Owns the Postgres and Redis that the tests run on, once for a whole run: from TEST_DATABASE_URL and TEST_REDIS_URL,
// else containers where a Docker engine answers, else the embedded Postgres and a local redis-server.
// TEST_SERVICES=containers insists on containers, TEST_SERVICES=local does without.
import { randomBytes } from 'node:crypto'
import type { TestProject } from 'vitest/node'
import { type OpenDatabase, openDatabase } from '../../src/db/client.ts'
import { migrate } from '../../src/db/migrate.ts'
import { monthOf } from '../../src/history/months.ts'
import { makePartitions } from '../../src/history/partitions.ts'
import { migrateQueue } from '../../src/queue/migrate.ts'
import { manualClock } from './clock.ts'
import { startContainers } from './containers.ts'
import { startLocalPostgres, startLocalRedis } from './local.ts'

/** A service that runs; `stop` only where the tests started it. */
export interface Service {
  url: string
  stop(): Promise<void>
}

/** What test files are told. */
export interface TestServices {
  /** A database of a role that may create others. */
  databaseUrl: string
  /** The migrated database that `createTestDatabase` copies. */
  template: string
  /** Null: there is no Redis here, and tests on it are skipped. */
  redisUrl: string | null
}

declare module 'vitest' {
  interface ProvidedContext {
    services: TestServices
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { postgres, redis } = await startServices()
  const template = `import_tracker_template_${randomBytes(4).toString('hex')}`
  try {
    await createTemplate(postgres.url, template)
  } catch (error) {
    await Promise.all([postgres.stop(), redis?.stop()])
    throw error
  }
  project.provide('services', { databaseUrl: postgres.url, template, redisUrl: redis?.url ?? null })
  if (!redis) console.warn('No Redis: tests on it are skipped. Install redis-server, or set TEST_REDIS_URL.')

  return async () => {
    await onServer(postgres.url, (query) => query(`DROP DATABASE IF EXISTS ${template} WITH (FORCE)`))
    await Promise.all([postgres.stop(), redis?.stop()])
  }
}

async function startServices(): Promise<{ postgres: Service; redis: Service | null }> {
  const { TEST_DATABASE_URL, TEST_REDIS_URL, TEST_SERVICES } = process.env
  const given = (url: string | undefined) => (url ? { url, stop: async () => {} } : null)
  const wanted = { postgres: !TEST_DATABASE_URL, redis: !TEST_REDIS_URL }
  const containers = TEST_SERVICES === 'local' ? {} : await startContainers(wanted, TEST_SERVICES === 'containers')
  return {
    postgres: given(TEST_DATABASE_URL) ?? containers.postgres ?? (await startLocalPostgres()),
    redis: given(TEST_REDIS_URL) ?? containers.redis ?? (await startLocalRedis()),
  }
}

async function createTemplate(url: string, template: string): Promise<void> {
  await onServer(url, (query) => query(`CREATE DATABASE ${template}`))
  const templateUrl = new URL(url)
  templateUrl.pathname = `/${template}`
  const database = openDatabase(templateUrl.href, { maxConnections: 4, onError: () => {} })
  try {
    await migrate(database)
    await migrateQueue(database.pool)
    await makePartitionsOfTests(database)
  } finally {
    await database.close()
  }
}

/** Of the months that the tests' clocks come by, besides those of the system's, which migrating makes. */
async function makePartitionsOfTests({ db }: OpenDatabase): Promise<void> {
  const start = manualClock().now()
  for (const monthsLater of [0, 4]) await makePartitions(db, monthOf(start, monthsLater))
}

async function onServer(url: string, work: (query: (sql: string) => Promise<unknown>) => Promise<unknown>) {
  const { pool, close } = openDatabase(url, { maxConnections: 1, onError: () => {} })
  try {
    await work((sql) => pool.query(sql))
  } finally {
    await close()
  }
}
