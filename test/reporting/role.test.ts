import { randomBytes } from 'node:crypto'
import { Client, type DatabaseError } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openDatabase } from '../../src/db/client.ts'
import { migrate } from '../../src/db/migrate.ts'
import { migrateQueue, queueSchema } from '../../src/queue/migrate.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { startLocalPostgres } from '../support/local.ts'

const analyst = `analyst_${randomBytes(4).toString('hex')}`
const password = randomBytes(16).toString('hex')

let database: TestDatabase
let reader: Client

/** The same database, as somebody else. */
function as(user: string, url: string): string {
  const other = new URL(url)
  other.username = user
  other.password = password
  return other.href
}

beforeAll(async () => {
  database = await createTestDatabase()
  await database.pool.query(`CREATE ROLE ${analyst} LOGIN PASSWORD '${password}' IN ROLE reporting_reader`)
  reader = new Client({ connectionString: as(analyst, database.url) })
  await reader.connect()
})
afterAll(async () => {
  await reader?.end()
  await database.pool.query(`DROP ROLE IF EXISTS ${analyst}`)
  await database.close()
})

describe('whoever is granted reporting_reader', () => {
  test('reads every view', async () => {
    const { rows } = await database.pool.query<{ name: string }>(
      `SELECT format('%I.%I', nspname, relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
        WHERE nspname = 'reporting' AND relkind = 'v'`,
    )
    expect(rows.length).toBe(14)
    for (const { name } of rows) await reader.query(`SELECT * FROM ${name}`)
    await reader.query(`SET reporting.now = '2026-03-31T12:00:00Z'`)
    await reader.query('SELECT age_s FROM reporting.open_imports')
  })

  test('reads and writes nothing else, of us, of the queue or of the migrations', async () => {
    const { rows } = await database.pool.query<{ name: string; kind: string }>(
      `SELECT format('%I.%I', nspname, relname) AS name, relkind AS kind
        FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
        WHERE nspname NOT IN ('reporting', 'information_schema') AND nspname !~ '^pg_' AND relkind IN ('r', 'p', 'v', 'm', 'S')`,
    )
    const names = rows.map(({ name }) => name)
    for (const table of ['public.connections', 'public.imports', 'public.webhook_endpoints', 'public.api_tokens'])
      expect(names).toContain(table)
    expect(names).toContain('drizzle.__drizzle_migrations')
    expect(names.some((name) => name.startsWith(`${queueSchema}.`))).toBe(true)
    const allowed: string[] = []
    for (const { name, kind } of rows) {
      const tries =
        kind === 'S'
          ? [`SELECT last_value FROM ${name}`, `SELECT nextval('${name}')`]
          : [`SELECT 1 FROM ${name} LIMIT 1`, `DELETE FROM ${name}`, `INSERT INTO ${name} DEFAULT VALUES`]
      for (const statement of tries) if ((await refusal(statement)) !== 'permission denied') allowed.push(statement)
    }
    expect(allowed).toEqual([])
  })

  test('writes no view, and makes nothing', async () => {
    const { rows } = await reader.query(
      `SELECT c.oid::regclass::text AS name FROM pg_class c
        WHERE relnamespace = 'reporting'::regnamespace AND has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')`,
    )
    expect(rows).toEqual([])
    for (const statement of [
      'CREATE TABLE public.mine (id int)',
      'CREATE VIEW reporting.mine AS SELECT 1',
      'CREATE SCHEMA mine',
    ])
      expect([statement, await refusal(statement)]).toEqual([statement, 'permission denied'])
  })

  test('runs no function that is ours or the queue’s', async () => {
    const { rows } = await database.pool.query<{ name: string }>(
      `SELECT p.oid::regprocedure::text AS name FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace
        WHERE nspname <> 'information_schema' AND nspname !~ '^pg_'
          AND has_schema_privilege('${analyst}', n.oid, 'USAGE') AND has_function_privilege('${analyst}', p.oid, 'EXECUTE')`,
    )
    expect(rows).toEqual([])
  })

  test('sees no column that holds a secret', async () => {
    const { rows } = await database.pool.query<{ name: string }>(
      `SELECT DISTINCT attname AS name FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND attnum > 0
        WHERE relnamespace = 'reporting'::regnamespace AND attname ~ 'secret|header|credential|token|hash|snippet|body|settings'`,
    )
    expect(rows).toEqual([])
  })

  /** What came of it; undone. */
  async function refusal(statement: string): Promise<string> {
    await reader.query('BEGIN')
    try {
      await reader.query(statement)
      return 'allowed'
    } catch (error) {
      return (error as DatabaseError).code === '42501' ? 'permission denied' : String(error)
    } finally {
      await reader.query('ROLLBACK')
    }
  }
})

test('a user who may make no roles migrates all the same, and is told what to run', async () => {
  await using server = await ownServer()
  const owner = new Client({ connectionString: server.url })
  await owner.connect()
  await owner.query(`CREATE ROLE migrator LOGIN NOCREATEROLE PASSWORD '${password}'`)
  await owner.query('CREATE DATABASE migrated OWNER migrator')
  const url = new URL(as('migrator', server.url))
  url.pathname = '/migrated'
  const opened = openDatabase(url.href, { maxConnections: 3, onError: () => {} })
  const notices: string[] = []
  opened.pool.on('connect', (client) => client.on('notice', ({ message }) => notices.push(message ?? '')))
  try {
    await migrate(opened)
    await migrateQueue(opened.pool)
    const told = notices.find((notice) => notice.includes('reporting_reader')) ?? ''
    expect(told).toContain('could not be made')
    expect((await opened.pool.query('SELECT 1 FROM reporting.imports')).rows).toEqual([])

    const [make = '', ...grants] = told.slice(told.indexOf(': ') + 2).split(';')
    await owner.query(make)
    for (const grant of grants) await opened.pool.query(grant)
    const { rows } = await opened.pool.query(
      `SELECT has_table_privilege('reporting_reader', 'reporting.imports', 'SELECT') AS may`,
    )
    expect(rows).toEqual([{ may: true }])
    await migrate(opened)
  } finally {
    await opened.close()
    await owner.end()
  }
})

/** Roles are of a whole server: elsewhere, somebody has made it already. */
async function ownServer() {
  const { url, stop } = await startLocalPostgres()
  return { url, [Symbol.asyncDispose]: stop }
}
