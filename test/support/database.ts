// Owns the databases of tests: a fresh, migrated one in some ten milliseconds.
import { randomBytes } from 'node:crypto'
import { Client } from 'pg'
import { inject } from 'vitest'
import { type OpenDatabase, openDatabase } from '../../src/db/client.ts'

export interface TestDatabase extends OpenDatabase {
  url: string
}

/**
 * A copy of the migrated template. One a test file, in `beforeAll`, with `close` in `afterAll`: it drops the database,
 * and whatever is still connected to it.
 */
export async function createTestDatabase(options: { maxConnections?: number } = {}): Promise<TestDatabase> {
  const { databaseUrl, template } = inject('services')
  const name = `import_tracker_test_${randomBytes(6).toString('hex')}`
  await onServer(databaseUrl, `CREATE DATABASE ${name} TEMPLATE ${template}`)
  const url = new URL(databaseUrl)
  url.pathname = `/${name}`
  const opened = openDatabase(url.href, {
    maxConnections: options.maxConnections ?? 10,
    onError: () => {},
    silentForMs: 120_000, // a busy machine is many times slower than a quiet one
  })
  return {
    url: url.href,
    db: opened.db,
    pool: opened.pool,
    async close() {
      await opened.close()
      await onServer(databaseUrl, `DROP DATABASE ${name} WITH (FORCE)`)
    },
  }
}

async function onServer(url: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}
