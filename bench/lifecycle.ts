// How many whole imports the service sees through a second, from the registration over seven polls (queued, five
// reports, the end) to the event and its webhook; what one costs each part of the machine; and how late the webhook
// comes at half of that rate, beyond the six intervals between the polls.
import { setTimeout as delay } from 'node:timers/promises'
import { sql } from 'drizzle-orm'
import { systemClock } from '../src/base/clock.ts'
import { createEncryption } from '../src/base/encryption.ts'
import type { Database } from '../src/db/client.ts'
import { createEndpoint } from '../src/webhooks/endpoints/create.ts'
import { createEndpointSchema } from '../src/webhooks/endpoints/input.ts'
import { median, print, whole } from './figures.ts'
import { connect, environmentOf, key } from './ours.ts'
import { measureWindows, type Window } from './rig.ts'
import { type BenchServices, endProcess, freePort, startProcess, startServices } from './services.ts'
import { lifecyclePolls } from './vendor-answer.ts'

const timing = { warmUpMs: 8_000, windowMs: 5_000, windows: 3 }
const everyMs = 200
const connections = 8
/** Imports under way at the most where the registrations don't wait for a pace. */
const mostUnderWay = 4_000
const batchSize = 100
const token = 'benchmark-token-of-enough-characters'

export async function runLifecycle(stores: ('redis' | 'postgres')[]): Promise<void> {
  const rows: string[][] = []
  for (const store of stores) {
    const full = await measureLifecycle(store, null)
    const perSecond = figure(full.windows, 'perSecond') / lifecyclePolls
    const half = await measureLifecycle(store, perSecond / 2)
    const each = (of: keyof Window) => whole(figure(full.windows, of) * lifecyclePolls)
    rows.push([
      store,
      whole(perSecond),
      each('nodeUs'),
      each('postgresUs'),
      each('redisUs'),
      each('walBytes'),
      whole(perSecond / 2),
      ...half.lateMs.map(whole),
    ])
  }
  print(
    [
      'queue in',
      'imports/s',
      'node, µs',
      'Postgres, µs',
      'Redis, µs',
      'WAL, bytes',
      'at imports/s',
      'late p50, ms',
      'late p99, ms',
      'latest, ms',
    ],
    rows,
  )
}

function figure(windows: readonly Window[], of: keyof Window): number {
  return median(windows.map((window) => window[of]))
}

/** @param perSecond null: as many as it takes. */
async function measureLifecycle(store: 'redis' | 'postgres', perSecond: number | null) {
  const services = await startServices()
  const vendor = await startProcess('./vendor.ts', { mode: 'lifecycle' })
  const receiver = await startProcess('./webhooks-receiver.ts', {})
  const { db } = services.database
  try {
    await connect(db, vendor.ready as number, { connections, everyMs, perSecond: null })
    await receive(db, receiver.ready as number)
    const port = await freePort()
    const worker = await startProcess('./tracker.ts', {
      ...environmentOf(services, store),
      ROLES: 'api,worker',
      PORT: String(port),
      ADMIN_TOKEN: token,
      WEBHOOK_ALLOWED_CIDRS: '127.0.0.0/8',
    })
    const ended = new AbortController()
    const registering = register(services, port, perSecond, ended.signal)
    const windows = await measureWindows({ services, vendor, workers: [worker] }, timing)
    ended.abort()
    await registering
    await delay(2_000) // for the webhooks under way
    const lateMs = await lateness(db)
    await endProcess(worker.child)
    return { windows, lateMs }
  } finally {
    await endProcess(vendor.child)
    await endProcess(receiver.child)
    await services.close()
  }
}

async function receive(db: Database, port: number): Promise<void> {
  const deps = {
    db,
    clock: systemClock,
    encryption: createEncryption([key]),
    by: { tokenId: null, name: 'bench', scope: 'admin' },
    checkDestination: async () => null,
  }
  const input = { url: `http://127.0.0.1:${port}/ok`, types: ['import.succeeded'] }
  await createEndpoint(deps, createEndpointSchema.parse(input))
}

/** Registers imports until it is told to stop, by batches, as a client does that begins many. */
async function register(services: BenchServices, port: number, perSecond: number | null, signal: AbortSignal) {
  const startedAt = performance.now()
  let registered = 0
  while (!signal.aborted) {
    const wanted =
      perSecond === null
        ? mostUnderWay - (await underWay(services.database.db))
        : ((performance.now() - startedAt) / 1_000) * perSecond - registered
    if (wanted < batchSize) {
      await delay(100)
      continue
    }
    const imports = Array.from({ length: batchSize }, (_, index) => ({
      connection: `bench-${(registered + index) % connections}`,
      jobId: `job-${registered + index}`,
    }))
    const answer = await fetch(`http://127.0.0.1:${port}/v1/imports/batch`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ imports }),
    })
    if (answer.status !== 200) throw new Error(`A registration was answered ${answer.status}: ${await answer.text()}`)
    await answer.arrayBuffer()
    registered += batchSize
  }
}

async function underWay(db: Database): Promise<number> {
  const { rows } = await db.execute<{ n: number }>(
    sql`SELECT count(*)::int AS n FROM imports WHERE state IN ('pending', 'queued', 'running')`,
  )
  return rows[0]?.n ?? 0
}

/** From the registration to the webhook's delivery, beyond the intervals: median, 99th percentile and the latest, in ms. */
async function lateness(db: Database): Promise<[number, number, number]> {
  const { rows } = await db.execute<{ p50: number; p99: number; max: number }>(sql`
    WITH late AS (
      SELECT extract(epoch FROM d.delivered_at - i.registered_at) * 1000 - ${everyMs * (lifecyclePolls - 1)}::int AS ms
      FROM deliveries d JOIN events e ON e.id = d.event_id JOIN imports i ON i.id = e.import_id
      WHERE d.delivered_at IS NOT NULL)
    SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY ms)::float8 AS p50,
      percentile_cont(0.99) WITHIN GROUP (ORDER BY ms)::float8 AS p99, max(ms)::float8 AS max FROM late`)
  const { p50 = Number.NaN, p99 = Number.NaN, max = Number.NaN } = rows[0] ?? {}
  return [p50, p99, max]
}
