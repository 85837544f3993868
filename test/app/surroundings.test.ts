// What a start says of surroundings that aren't right, by the name of the variable that leads to them.
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest'
import type { Service } from '../../src/app/service.ts'
import { openDatabase } from '../../src/db/client.ts'
import { migrate } from '../../src/db/migrate.ts'
import { requireSessions } from '../../src/queue/postgres.ts'
import { startSandbox } from '../../src/sandbox/server.ts'
import { manualClock } from '../support/clock.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { startLocalRedis } from '../support/local.ts'
import { isPgBouncerThere, startPgBouncer } from '../support/pgbouncer.ts'
import { type ServiceOptions, startTestService } from '../support/service.ts'
import { connectApi } from '../support/worlds/client.ts'
import { adminToken } from '../support/worlds/ground.ts'
import { hasty } from '../support/worlds/service.ts'

const { redisUrl } = inject('services')

async function aDatabase(): Promise<TestDatabase> {
  const database = await createTestDatabase()
  onTestFinished(() => database.close())
  return database
}

async function started(options: ServiceOptions): Promise<Service> {
  const service = await startTestService(options)
  onTestFinished(() => service.stop())
  return service
}

/** Imports of the sandbox that are over at once, registered, and seen to their end. */
async function runsImports(service: Service, count: number): Promise<void> {
  const sandbox = await startSandbox({ clock: manualClock(new Date()) })
  onTestFinished(() => sandbox.close())
  const api = await connectApi(service.url, adminToken)
  const body = {
    provider: 'cdq',
    baseUrl: sandbox.baseUrl('cdq'),
    credentials: sandbox.credentials('cdq'),
    limits: hasty,
  }
  await api.call('PUT /v1/connections/{name}', { name: 'cdq' }, { body })
  const ids: string[] = []
  for (let index = 0; index < count; index++) {
    const { jobId } = sandbox.add({ provider: 'cdq', durationMs: 0 })
    const registered = await api.call('POST /v1/imports', {}, { body: { connection: 'cdq', jobId } })
    ids.push(registered.body.id)
  }
  for (const id of ids) {
    const { body: over } = await api.call('GET /v1/imports/{id}', { id }, { query: { waitMs: 30_000 } })
    expect(over).toMatchObject({ state: 'succeeded' })
  }
}

describe.skipIf(redisUrl === null)('Redis', () => {
  let redis: { url: string; stop(): Promise<void> }
  let client: Redis
  beforeAll(async () => {
    const own = await startLocalRedis()
    if (own === null) throw new Error('redis-server must start')
    redis = own
    client = new Redis(redis.url)
  })
  afterAll(async () => {
    client.disconnect()
    await redis.stop()
  })

  test('serves two installations, and neither runs the jobs of the other', async () => {
    const databases = [await aDatabase(), await aDatabase()]
    // Test databases are copies of one, as a restored backup is.
    for (const { pool } of databases) await pool.query('UPDATE installation SET id = gen_random_uuid()')
    const services = await Promise.all(databases.map((database) => started({ database, redisUrl: redis.url })))
    await Promise.all(services.map((service) => runsImports(service, 20)))
    const prefixes = new Set((await client.keys('*')).map((key) => /^\{import-tracker-[0-9a-f-]{36}\}:/.exec(key)?.[0]))
    expect(prefixes.size).toBe(2)
    expect(prefixes).not.toContain(undefined)
    expect(await client.keys('*try-out*')).toEqual([])
  })

  test.each(['api', 'worker'])('that only reads is refused by name, with ROLES=%s', async (roles) => {
    const replica = await startLocalRedis()
    onTestFinished(() => replica?.stop())
    const { hostname, port } = new URL(redis.url)
    const copy = new Redis(replica?.url ?? '')
    await copy.replicaof(hostname, port)
    copy.disconnect()
    const start = startTestService({ database: await aDatabase(), redisUrl: replica?.url ?? '', roles })
    await expect(start).rejects.toThrow(/^REDIS_URL must lead to a Redis where .*: READONLY .*\.$/)
  })

  test.each([
    ['keys', '~other:*', '+@all'],
    ['scripts', '~*', '+@all', '-@scripting'],
    ['blocking', '~*', '+@all', '-@blocking'],
    ['streams', '~*', '+@all', '-@stream'],
    ['deletion', '~*', '+@all', '-unlink', '-del'],
  ])('whose ACL is narrow in %s is refused by name', async (_what, ...rules) => {
    const [name, password] = [randomBytes(4).toString('hex'), 'hush']
    await client.call('ACL', 'SETUSER', name, 'on', `>${password}`, '&*', ...rules)
    const url = new URL(redis.url)
    url.username = name
    url.password = password
    const start = startTestService({ database: await aDatabase(), redisUrl: url.href, roles: 'api' })
    await expect(start).rejects.toThrow(/^REDIS_URL must lead to .*: (NOPERM|ERR The user executing the script) .*\.$/)
  })

  test('is enough with the rights to its own keys alone', async () => {
    const database = await aDatabase()
    const { rows } = await database.pool.query('SELECT id FROM installation')
    const rules = [`~{import-tracker-${rows[0].id}}:*`, '+@all', '-@admin', '-@dangerous', '+info', '&*']
    await client.call('ACL', 'SETUSER', 'narrow', 'on', '>hush', ...rules)
    const url = new URL(redis.url)
    url.username = 'narrow'
    url.password = 'hush'
    await runsImports(await started({ database, redisUrl: url.href }), 3)
  })
})

describe('PgBouncer in transaction mode', () => {
  const here = isPgBouncerThere ? test : test.skip

  async function through(settings: Record<string, string> = {}): Promise<{ url: string }> {
    const database = await aDatabase()
    const bouncer = await startPgBouncer(database.url, settings)
    onTestFinished(() => bouncer.stop())
    return { url: bouncer.url }
  }

  here.each([
    [{}, 'unsupported startup parameter: options'],
    [{ ignore_startup_parameters: 'options' }, 'it drops the options of a connection'],
  ])('with %j is refused by name where the queue is in Postgres', async (settings, reason) => {
    const { url } = await through(settings)
    await expect(startTestService({ database: { url } })).rejects.toThrow(
      new RegExp(`^DATABASE_URL must lead to PostgreSQL itself .* REDIS_URL\\): ${reason}\\.$`),
    )
  })

  here('that keeps the search path is found out by its silence', async () => {
    const database = await aDatabase()
    const { pathname } = new URL(database.url)
    await database.pool.query(`ALTER DATABASE ${pathname.slice(1)} SET search_path = bullmq`)
    const bouncer = await startPgBouncer(database.url, { ignore_startup_parameters: 'options' })
    onTestFinished(() => bouncer.stop())
    const { pool, close } = openDatabase(bouncer.url, { maxConnections: 3, onError: () => {} })
    onTestFinished(() => close())
    await expect(requireSessions(pool, 300)).rejects.toThrow(
      /^DATABASE_URL .*: a connection that listens is told nothing\.$/,
    )
  })

  const hereWithRedis = redisUrl === null ? test.skip : here
  hereWithRedis('serves with the queue in Redis', async () => {
    const { url } = await through()
    const redis = await startLocalRedis()
    onTestFinished(() => redis?.stop())
    await runsImports(await started({ database: { url }, redisUrl: redis?.url ?? '' }), 20)
  })

  here('serves for migrating', async () => {
    const { url } = await through()
    const two = [0, 1].map(() => openDatabase(url, { maxConnections: 2, onError: () => {} }))
    onTestFinished(async () => void (await Promise.all(two.map((one) => one.close()))))
    await expect(Promise.all(two.map((one) => migrate(one)))).resolves.toHaveLength(2)
  })
})

describe('a database user that owns nothing', () => {
  const role = `app_${randomBytes(6).toString('hex')}`

  /** A database, and its URL with a user that was given what `grants` says. */
  async function granted(grants: string): Promise<{ url: string; database: TestDatabase }> {
    const database = await aDatabase()
    await database.pool.query(grants)
    const url = new URL(database.url)
    url.username = role
    url.password = 'hush'
    return { url: url.href, database }
  }

  beforeAll(() => onServer(`CREATE ROLE ${role} LOGIN PASSWORD 'hush'`))
  afterAll(() => onServer(`DROP ROLE ${role}`))

  async function onServer(sql: string) {
    const { pool, close } = openDatabase(inject('services').databaseUrl, { maxConnections: 1, onError: () => {} })
    await pool.query(sql).finally(close)
  }

  const documented = /^```sql\n(GRANT .*?)^```$/ms
    .exec(readFileSync(new URL('../../docs/operating.md', import.meta.url), 'utf8'))?.[1]
    ?.replaceAll('import_tracker_app', role)
  const grants = documented ?? ''

  test('runs polls to the end with the grants that the documentation lists', async () => {
    const { url } = await granted(grants)
    await runsImports(await started({ database: { url } }), 10)
  })

  test.each([
    [', CREATE ON SCHEMA bullmq', ' ON SCHEMA bullmq', 'CREATE on schema bullmq'],
    ['GRANT USAGE, CREATE ON SCHEMA bullmq', '--', 'USAGE on schema bullmq, CREATE on schema bullmq'],
    ['public, drizzle, reporting', 'public, reporting', 'USAGE on schema drizzle'],
    [
      'INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public',
      'INSERT, UPDATE ON ALL TABLES IN SCHEMA public',
      'DELETE on table ',
    ],
    ['GRANT USAGE ON ALL SEQUENCES IN SCHEMA public', '--', 'USAGE on sequence event_positions'],
    ['GRANT USAGE ON ALL SEQUENCES IN SCHEMA bullmq', '--', 'USAGE on sequence bullmq.'],
    ['GRANT SELECT ON ALL TABLES IN SCHEMA drizzle', '--', 'SELECT on table drizzle.__drizzle_migrations'],
  ])('without “%s” is refused, and told what is missing', async (grant, instead, missing) => {
    expect(grants).toContain(grant)
    const { url } = await granted(grants.replace(grant, instead))
    const start = startTestService({ database: { url }, roles: 'api' })
    await expect(start).rejects.toThrow(/^DATABASE_URL must lead to a database where its user has the grants .*\.$/)
    await expect(start).rejects.toThrow(missing)
  })

  test('with a limit of connections is warned of it', async () => {
    const { url } = await granted(grants)
    await onServer(`ALTER ROLE ${role} CONNECTION LIMIT 15`)
    onTestFinished(() => onServer(`ALTER ROLE ${role} CONNECTION LIMIT -1`))
    const logLines: string[] = []
    await started({ database: { url }, roles: 'api', logLines })
    const warning = logLines.map((line) => JSON.parse(line)).find(({ needed }) => needed !== undefined)
    expect(warning).toMatchObject({
      level: 40,
      limit: 15,
      left: expect.any(Number),
      needed: 28,
      msg: expect.stringMatching(/^DATABASE_URL /),
    })
  })
})

describe('a schema that is ahead of this version', () => {
  async function ahead(neededMigration: number): Promise<TestDatabase> {
    const database = await aDatabase()
    await database.pool.query(`INSERT INTO drizzle.__drizzle_migrations (hash, created_at) VALUES ('', 9999999999999)`)
    await database.pool.query('UPDATE installation SET needed_migration = $1', [neededMigration])
    return database
  }

  test('is warned of, and served', async () => {
    const logLines: string[] = []
    const service = await started({ database: await ahead(1), roles: 'api', logLines })
    expect(logLines.filter((line) => line.includes('ahead of this version'))).toHaveLength(1)
    expect((await fetch(`${service.url}/readyz`)).status).toBe(200)
  })

  test('is refused where one of its migrations says so, and a running process isn’t ready any more', async () => {
    const database = await ahead(9_999)
    await expect(startTestService({ database })).rejects.toThrow(/^DATABASE_URL leads to a schema that is ahead/)
    await database.pool.query('UPDATE installation SET needed_migration = 0')
    const service = await started({ database, roles: 'api' })
    await database.pool.query('UPDATE installation SET needed_migration = 9999')
    expect(await (await fetch(`${service.url}/readyz`)).json()).toMatchObject({ checks: { schema: 'failed' } })
  })
})
