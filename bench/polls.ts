// How many polls one process makes, what a poll costs each part of the machine, and how late it comes: from "due" in
// Postgres through the queue, a vendor's answer over a socket, and back into Postgres. Beside it a bare undici loop at
// the same rate. Everything shares this machine's cores, so the figures to look at are the ratios.
import { parseArgs } from 'node:util'
import { sql } from 'drizzle-orm'
import { systemClock } from '../src/clock.ts'
import { putConnection } from '../src/connections/put.ts'
import type { Database } from '../src/db/client.ts'
import { createGuard } from '../src/egress/guard.ts'
import { createEncryption } from '../src/encryption.ts'
import { fingerprintOf } from '../src/imports/fingerprint.ts'
import { cdq } from '../src/providers/cdq.ts'
import { timeOrderedId } from '../src/webhooks/deliveries/id.ts'
import { measure, median, print, type Reading, spread, whole } from './figures.ts'
import { measureWindows, type Started, type Window } from './rig.ts'
import { ask, type BenchServices, endProcess, startProcess, startServices } from './services.ts'
import type { Mode } from './vendor.ts'
import { answer } from './vendor-answer.ts'

const sockets = 64
const timing = { warmUpMs: 4_000, windowMs: 5_000, windows: 3 }
const key = Buffer.alloc(32, 1)

/** What the worker has to do. */
export interface Tracked {
  store: 'redis' | 'postgres'
  imports: number
  connections: number
  /** Milliseconds between the polls of an import; null: each is always due. */
  everyMs: number | null
  /** Whether the connections have a limit of requests a second, which is twice what they want. */
  metered: boolean
  /** The share of the imports that are due within the run; the others are in a year. */
  dueShare: number
}

interface Setup extends Tracked {
  mode: Exclude<Mode, 'lifecycle'>
}

export async function run(options: string[]): Promise<void> {
  const { values } = parseArgs({
    args: options,
    options: {
      mode: { type: 'string', default: 'unchanged,progress' },
      store: { type: 'string', default: 'redis,postgres' },
      imports: { type: 'string', default: '1000,20000,100000' },
      connections: { type: 'string', default: '1,50' },
      every: { type: 'string' },
      metered: { type: 'boolean', default: false },
      due: { type: 'string', default: '1' },
    },
  })
  const everyMs = values.every === undefined ? null : Number(values.every)
  const rows: string[][] = []
  for (const mode of values.mode.split(',') as Setup['mode'][])
    for (const store of values.store.split(',') as Setup['store'][])
      for (const imports of values.imports.split(',').map(Number))
        for (const connections of values.connections.split(',').map(Number)) {
          const { metered } = values
          const setup = { mode, store, imports, connections, everyMs, metered, dueShare: Number(values.due) }
          rows.push(await measureSetup(setup))
          console.log(rows.at(-1)?.join(' · '))
        }
  print(
    [
      'answers',
      'queue in',
      'imports',
      'connections',
      'wanted/s',
      'polls/s',
      'node, µs',
      'Postgres, µs',
      'Redis, µs',
      'WAL, bytes',
      'bare request, µs',
      'node over bare',
      'late p50, ms',
      'late p99, ms',
      'MB',
    ],
    rows,
  )
}

async function measureSetup(setup: Setup): Promise<string[]> {
  const { mode, store, imports, connections, everyMs, dueShare } = setup
  const vendor = await startProcess('./vendor.ts', { mode, everyMs })
  const windows = await measurePolls(setup, vendor)
  const figure = (of: keyof Window) => median(windows.map((window) => window[of]))
  const bare = await measureBare(vendor.ready as number, figure('perSecond'))
  await endProcess(vendor.child)
  return [
    mode,
    store,
    whole(imports),
    whole(connections),
    everyMs === null ? '∞' : whole((imports * dueShare * 1_000) / everyMs),
    whole(figure('perSecond')),
    whole(figure('nodeUs')),
    whole(figure('postgresUs')),
    whole(figure('redisUs')),
    whole(figure('walBytes')),
    whole(bare),
    spread(windows.map(({ nodeUs }) => nodeUs / bare)),
    ...(everyMs === null ? ['', ''] : [whole(figure('lateP50')), whole(figure('lateP99'))]),
    whole(figure('residentMb')),
  ]
}

/** Microseconds of CPU for a bare request at this rate. */
async function measureBare(port: number, perSecond: number): Promise<number> {
  const request = { method: 'GET', path: '/jobs/importjobs/1', headers: { 'x-api-key': 'key' } }
  const { child } = await startProcess('./bare.ts', { port, connections: sockets, perSecond, request })
  const measured = await measure(() => ask<Reading>(child, 'reading'), { ...timing, windows: 2 })
  await endProcess(child)
  return median(measured.map(({ cpuUs }) => cpuUs))
}

async function measurePolls(setup: Setup, vendor: Started): Promise<Window[]> {
  const services = await startServices()
  try {
    const worker = await startOurs(services, vendor.ready as number, setup)
    const warmUpMs = Math.max(timing.warmUpMs, Math.min(2 * (setup.everyMs ?? 0), 30_000))
    const windows = await measureWindows({ services, vendor, worker }, { ...timing, warmUpMs })
    await endProcess(worker.child)
    return windows
  } finally {
    await services.close()
  }
}

/** Our worker, with imports that are tracked at the vendor on this port. */
export async function startOurs(services: BenchServices, port: number, tracked: Tracked): Promise<Started> {
  await track(services.database.db, port, tracked)
  return startProcess('./tracker.ts', environmentOf(services, tracked.store))
}

function environmentOf({ databaseUrl, redisUrl }: BenchServices, store: Tracked['store']) {
  return {
    DATABASE_URL: databaseUrl,
    ...(store === 'redis' && { REDIS_URL: redisUrl }),
    ROLES: 'worker',
    PORT: '0',
    ENCRYPTION_KEYS: key.toString('base64'),
    PROVIDER_ALLOWED_CIDRS: '127.0.0.0/8',
    LOG_LEVEL: 'warn',
  }
}

/** Imports that run for long, and were seen once; their first polls are spread over the interval. */
async function track(db: Database, port: number, tracked: Tracked): Promise<void> {
  const { imports, connections, dueShare } = tracked
  const everyMs = tracked.everyMs ?? 1
  const deps = {
    db,
    clock: systemClock,
    encryption: createEncryption([key]),
    guard: createGuard({ allowedCidrs: ['127.0.0.0/8'] }),
  }
  const perSecond = Math.min(10_000, Math.ceil((2_000 * imports) / connections / everyMs))
  for (let number = 0; number < connections; number++)
    await putConnection(deps, `bench-${number}`, {
      provider: 'cdq',
      baseUrl: `http://127.0.0.1:${port}`,
      credentials: { apiKey: 'key' },
      settings: {},
      limits: {
        maxInFlight: 1_000,
        minIntervalMs: everyMs,
        maxIntervalMs: everyMs,
        ...(tracked.metered && { requestsPerSecond: perSecond }),
      },
    })
  const fingerprint = fingerprintOf(cdq.readStatus(answer).report, cdq)
  await db.execute(sql`
    INSERT INTO imports (id, connection_id, job_id, state, registered_at, deadline_ms, deadline_at, next_poll_at, polls,
      snapshot_id, fingerprint, progress_changes, metadata)
    SELECT ${timeOrderedId(sql`now()`)}, c.id, 'job-' || n, 'running', now(), 864000000000, now() + interval '27 years',
      CASE WHEN n <= ${Math.ceil(imports * dueShare)}::int THEN now() + random() * ${everyMs}::int * interval '1 ms'
        ELSE now() + interval '1 year' END,
      1, gen_random_uuid(), ${fingerprint}, '[[1780000000000, 0.77]]', '{}'
    FROM generate_series(1, ${imports}::int) n
    JOIN (SELECT id, row_number() OVER (ORDER BY name) - 1 AS number FROM connections) c ON c.number = n % ${connections}`)
  await db.execute(sql`
    INSERT INTO snapshots (id, import_id, state, provider_status, rows, body, first_seen_at, last_seen_at, polls)
    SELECT snapshot_id, id, state, 'RUNNING', '{}', ${JSON.stringify(answer)}, now(), now(), 1 FROM imports`)
  await db.execute(sql`ANALYZE`)
}
