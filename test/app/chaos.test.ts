// A thousand imports, while the worker is killed at every step of its work, Redis comes back empty and Postgres is
// restarted: nothing is lost, nothing happens twice. All on servers of the test's own, which it may mistreat.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import { createEncryption } from '../../src/base/encryption.ts'
import { putConnection } from '../../src/connections/put.ts'
import { type OpenDatabase, openDatabase } from '../../src/db/client.ts'
import { migrate } from '../../src/db/migrate.ts'
import { createGuard } from '../../src/egress/guard.ts'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/embedded/postgres.ts'
import { registerImports } from '../../src/imports/register.ts'
import { type Sandbox, startSandbox } from '../../src/sandbox/server.ts'
import { createEndpoint } from '../../src/webhooks/endpoints/create.ts'
import { createEndpointSchema } from '../../src/webhooks/endpoints/input.ts'
import { type Cable, startCable } from '../support/cable.ts'
import { startLocalRedis } from '../support/local.ts'
import { testEnvironment } from '../support/service.ts'
import type { Service } from '../support/services.ts'
import { somebody, testEncryptionKey } from '../support/worlds/ground.ts'
import { type Answer, type Receiver, startReceiver, status } from '../webhooks/receiver.ts'

const importCount = 1_000
const steps = ['after the claim', 'after the attempt row', 'after the request', 'before the commit']
const providers = ['cdq', 'micro', 'zilliant', 'fullstory'] as const
/** Imports whose webhooks also go to an endpoint that refuses all of them. */
const refusedCount = 10

describe.skipIf(inject('services').redisUrl === null)('a thousand imports in a bad hour', () => {
  let directory: string
  let postgres: EmbeddedPostgres
  let redis: Service
  let cables: { postgres: Cable; redis: Cable }
  let database: OpenDatabase
  let sandbox: Sandbox
  /** One that takes everything, one that fails at first for some, and one that refuses everything. */
  let receivers: { taking: Receiver; failing: Receiver; refusing: Receiver }
  const workers: ChildProcess[] = []

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'import-tracker-chaos-'))
    await chmod(directory, 0o755) // as root, another user runs Postgres in it
    postgres = await startPostgres()
    redis = await startRedis()
    cables = { postgres: await startCable(postgres.url), redis: await startCable(redis.url) }
    database = openDatabase(cables.postgres.url, { maxConnections: 4, onError: () => {} })
    await migrate(database)
    sandbox = await startSandbox({ clock: systemClock })
    receivers = {
      taking: await startReceiver(),
      failing: await startReceiver(failAtFirst()),
      refusing: await startReceiver(status(400)),
    }
    await register()
  })

  afterAll(async () => {
    for (const worker of workers) worker.kill('SIGKILL') // where a test has failed
    await database.close()
    await Promise.all([cables.postgres.cut(), cables.redis.cut(), sandbox.close(), redis.stop()])
    await Promise.all(Object.values(receivers).map((receiver) => receiver.close()))
    await postgres.stop()
    await rm(directory, { recursive: true, force: true })
  })

  test.each(steps)('a worker that is killed %s leaves what it held to the next one', async (step) => {
    const before = await progress()
    const worker = startWorker(step)
    expect(await worker.ended).toBe('SIGKILL')
    const [held] = await sql(`
      SELECT extract(epoch FROM max(until) - now()) * 1000 AS ms FROM leases`)
    expect(Number(held?.ms)).toBeLessThanOrEqual(35_000)
    const [sending] = await sql(`
      SELECT count(*)::int AS count, (SELECT count(*) FROM delivery_attempts WHERE outcome = 'in_flight')::int AS attempts
      FROM leases WHERE kind = 'deliver'`)
    if (step !== 'before the commit') expect(sending?.count).toBeGreaterThan(0) // it died holding some
    if (step === 'after the attempt row') expect(sending?.attempts).toBeGreaterThan(0)
    if (step === 'before the commit')
      expect(await sql(`SELECT 1 FROM leases WHERE kind = 'poll' AND size > 0`)).not.toEqual([])
    await endLeases()
    expect(await progress()).toBeGreaterThanOrEqual(before)
  })

  test('an empty Redis and a restarted Postgres hold up nobody for long', async () => {
    const worker = startWorker()
    await reaches(importCount * 0.2)
    await redis.stop()
    redis = await startRedis()
    cables.redis.plug(redis.url)
    await reaches(importCount * 0.5)
    await postgres.stop()
    postgres = await startPostgres()
    cables.postgres.plug(postgres.url)
    await endLeases()
    await reaches(importCount)
    await vi.waitFor(
      async () => {
        await retriesAreDue()
        expect(await open()).toBe(0)
      },
      { interval: 250 },
    )
    worker.stop()
    expect(await worker.ended).toBe(0)
  })

  test('every transition has one event', async () => {
    // What a snapshot was in is what the import went through.
    const different = await sql(`
      SELECT i.id, i.state, told.states AS told, gone.states AS gone_through
      FROM imports i
      LEFT JOIN LATERAL (
        SELECT array_agg(replace(e.type, 'import.', '') ORDER BY e.id) AS states
        FROM events e WHERE e.import_id = i.id AND e.type <> 'import.rows_collected') AS told ON true
      LEFT JOIN LATERAL (
        SELECT array_agg(state ORDER BY id) AS states
        FROM (SELECT id, state, lag(state, 1, 'pending') OVER (ORDER BY id) AS before FROM snapshots WHERE import_id = i.id) s
        WHERE state <> before) AS gone ON true
      WHERE told.states IS DISTINCT FROM gone.states OR told.states[cardinality(told.states)] <> i.state`)
    expect(different).toEqual([])
    expect(
      await sql(`SELECT import_id FROM events WHERE type = 'import.rows_collected' GROUP BY 1 HAVING count(*) > 1`),
    ).toEqual([])
  })

  test('every delivery ends, delivered or exhausted', async () => {
    expect(await sql(`SELECT state, count(*)::int FROM deliveries GROUP BY 1 ORDER BY 1`)).toEqual([
      { state: 'delivered', count: 2 * importCount },
      { state: 'exhausted', count: refusedCount },
    ])
    const [retried] = await sql(`SELECT count(*)::int FROM deliveries WHERE state = 'delivered' AND is_retry`)
    expect(retried?.count).toBeGreaterThan(importCount / 50)
  })

  test('a receiver that keeps the ids sees each event once, with the same bytes each time', async () => {
    const counts = { taking: importCount, failing: importCount, refusing: refusedCount }
    for (const [name, count] of Object.entries(counts) as [keyof typeof receivers, number][]) {
      const bodies = Map.groupBy(receivers[name].received, ({ headers }) => headers['webhook-id'])
      expect(bodies.size).toBe(count)
      for (const same of bodies.values()) expect(new Set(same.map(({ body }) => body)).size).toBe(1)
    }
  })

  test('every skipped line and row result is stored once', async () => {
    const wrong = await sql(`
      SELECT i.id FROM imports i
      WHERE i.skipped_lines <> (SELECT count(*) FROM skipped_lines s WHERE s.import_id = i.id)
        OR i.row_results <> (SELECT count(*) FROM row_results r WHERE r.import_id = i.id)
        OR i.details_state NOT IN ('none', 'complete')`)
    expect(wrong).toEqual([])
  })

  function startPostgres() {
    return startEmbeddedPostgres({ directory, settings: { fsync: 'off' } })
  }

  async function startRedis(): Promise<Service> {
    const started = await startLocalRedis()
    if (!started) throw new Error('There is no redis-server here.')
    return started
  }

  async function register(): Promise<void> {
    const { db } = database
    const deps = {
      by: somebody,
      db,
      clock: systemClock,
      encryption: createEncryption([testEncryptionKey]),
      guard: createGuard({ allowedCidrs: ['127.0.0.0/8'] }),
    }
    for (const { receiver, metadata } of [
      { receiver: receivers.taking },
      { receiver: receivers.failing },
      { receiver: receivers.refusing, metadata: { refused: true } },
    ]) {
      const input = createEndpointSchema.parse({ url: receiver.url, ...(metadata && { metadata }) })
      await createEndpoint({ ...deps, checkDestination: async () => null }, input)
    }
    for (const provider of providers)
      await putConnection(deps, provider, {
        provider,
        baseUrl: sandbox.baseUrl(provider),
        credentials: { ...sandbox.credentials(provider) },
        settings: { ...sandbox.settings(provider) },
        limits: { minIntervalMs: 200, maxInFlight: 10, requestsPerSecond: 1_000, requestsPerMonth: 1_000_000 },
      })
    const jobs = Array.from({ length: importCount }, (_, number) => {
      const provider = providers[number % providers.length] ?? 'cdq'
      return sandbox.add({
        provider,
        durationMs: (number % 10) * 100,
        outcome: 'partial',
        rows: 20,
        ...(provider === 'cdq' && { skippedLines: 25, pageSize: 10 }),
      })
    })
    await registerImports(
      deps,
      jobs.map(({ provider, jobId }, number) => ({
        connection: provider,
        jobId,
        metadata: { refused: number < refusedCount },
      })),
    )
  }

  /** The service's worker in a process of its own, which dies at a step, or lives until it is stopped. */
  function startWorker(step?: string) {
    const place = { database: { url: cables.postgres.url }, redisUrl: cables.redis.url, roles: 'worker' }
    const child = spawn(process.execPath, ['--import', file('../support/kill-at.ts'), file('../../src/main.ts')], {
      env: {
        PATH: process.env.PATH,
        ...testEnvironment(place),
        LOG_LEVEL: 'fatal',
        KILL_AT: step ?? '',
        KILL_AFTER: step === 'after the claim' ? '3' : '20', // an endpoint is claimed once for many deliveries
      },
      stdio: 'ignore',
    })
    workers.push(child)
    return {
      ended: once(child, 'exit').then(([code, signal]) => (signal ?? code) as string | number),
      stop: () => void child.kill('SIGTERM'),
    }
  }

  function file(path: string): string {
    return fileURLToPath(new URL(path, import.meta.url))
  }

  async function sql(text: string): Promise<Record<string, unknown>[]> {
    return (await database.pool.query(text)).rows
  }

  /** How many imports are over. */
  async function progress(): Promise<number> {
    const [row] = await sql('SELECT count(*)::int AS over FROM imports WHERE finished_at IS NOT NULL')
    return row?.over as number
  }

  async function reaches(count: number): Promise<void> {
    await vi.waitFor(async () => expect(await progress()).toBeGreaterThanOrEqual(count), {
      interval: 100,
    })
  }

  /** Deliveries and collections that aren't over. */
  async function open(): Promise<number> {
    const [row] = await sql(`
      SELECT (SELECT count(*) FROM deliveries WHERE state = 'pending')::int
        + (SELECT count(*) FROM imports WHERE next_collect_at IS NOT NULL)::int AS open`)
    return row?.open as number
  }

  /** Lets the time pass that retries and probes wait for. */
  async function retriesAreDue(): Promise<void> {
    await sql(`UPDATE deliveries SET next_attempt_at = now() WHERE next_attempt_at > now()`)
    await sql(`UPDATE webhook_endpoints SET next_probe_at = now() WHERE next_probe_at > now()`)
  }

  /** Lets the time pass that leases take; the jobs of a dead worker stay in the queue. */
  async function endLeases(): Promise<void> {
    await vi.waitFor(
      async () => {
        await sql(`UPDATE leases SET until = now() - interval '1 s'`)
      },
      { interval: 100 },
    )
  }
})

/** Fails for one of eight events, the first time it comes. */
function failAtFirst(): Answer {
  const seen = new Set<string>()
  return (response, request) => {
    const id = String(request.headers['webhook-id'])
    const fails = !seen.has(id) && /[08]$/.test(id)
    seen.add(id)
    response.writeHead(fails ? 500 : 204).end()
  }
}
