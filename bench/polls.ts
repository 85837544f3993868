// How many polls one process makes, and what a poll costs: from "due" in Postgres through the queue in Redis, a
// provider's answer over a socket, and back into Postgres, beside a bare undici loop in the same run. Everything
// shares this machine's cores, so the figure to look at is the ratio.
import { sql } from 'drizzle-orm'
import { systemClock } from '../src/clock.ts'
import { putConnection } from '../src/connections/put.ts'
import type { Database } from '../src/db/client.ts'
import { createGuard } from '../src/egress/guard.ts'
import { createEncryption } from '../src/encryption.ts'
import { fingerprintOf } from '../src/imports/fingerprint.ts'
import { cdq } from '../src/providers/cdq.ts'
import { timeOrderedId } from '../src/webhooks/deliveries/id.ts'
import { measure, median, print, type Rate, type Reading, spread, whole } from './figures.ts'
import { answer } from './polls-answer.ts'
import { ask, endProcess, startProcess, startServices } from './services.ts'

const connectionCount = 8
const sockets = 64
const timing = { warmUpMs: 3_000, windowMs: 5_000, windows: 3 }
const key = Buffer.alloc(32, 1)

export async function run(options: string[]): Promise<void> {
  const sizes = options.length > 0 ? options.map(Number) : [1_000, 20_000, 100_000]
  const provider = await startProcess('./polls-provider.ts', {})
  const port = provider.ready as number
  const rows: string[][] = []
  for (const size of sizes) {
    const polls = await measurePolls(port, size)
    const rate = median(polls.map(({ perSecond }) => perSecond))
    const paced = await measureBare(port, rate)
    const unpaced = await measureBare(port, null)
    const ratios = polls.map(({ cpuUs }) => cpuUs / median(paced.map((request) => request.cpuUs)))
    rows.push([
      size.toLocaleString('en'),
      whole(rate),
      whole(median(polls.map(({ cpuUs }) => cpuUs))),
      whole(median(paced.map(({ cpuUs }) => cpuUs))),
      spread(ratios),
      `${whole(median(unpaced.map(({ cpuUs }) => cpuUs)))} at ${whole(median(unpaced.map(({ perSecond }) => perSecond)))}/s`,
    ])
  }
  await endProcess(provider.child)
  print(
    [
      'imports tracked',
      'polls/s',
      'CPU a poll, µs',
      'bare request at the same rate, µs',
      'ratio',
      'bare request at full speed, µs',
    ],
    rows,
  )
}

async function measureBare(port: number, perSecond: number | null): Promise<Rate[]> {
  const request = { method: 'GET', path: '/jobs/importjobs/1', headers: { 'x-api-key': 'key' } }
  const { child } = await startProcess('./bare.ts', { port, connections: sockets, perSecond, request })
  const measured = await measure(() => ask<Reading>(child, 'reading'), timing)
  await endProcess(child)
  return measured
}

async function measurePolls(port: number, size: number): Promise<Rate[]> {
  const services = await startServices()
  try {
    const { db } = services.database
    await track(db, port, size)
    const { child } = await startProcess('./tracker.ts', {
      DATABASE_URL: services.databaseUrl,
      REDIS_URL: services.redisUrl,
      ROLES: 'worker',
      PORT: '0',
      ENCRYPTION_KEYS: key.toString('base64'),
      PROVIDER_ALLOWED_CIDRS: '127.0.0.0/8',
      LOG_LEVEL: 'warn',
    })
    const measured = await measure(async () => {
      const cpu = await ask<NodeJS.CpuUsage>(child, 'usage')
      const [total] = (await db.execute(sql`SELECT sum(polls)::int AS polls FROM imports`)).rows
      return { count: total?.polls as number, cpu }
    }, timing)
    await endProcess(child)
    return measured
  } finally {
    await services.close()
  }
}

/** Imports that run for long and are always due: the shortest interval there is, and the same answer every time. */
async function track(db: Database, port: number, size: number): Promise<void> {
  const deps = {
    db,
    clock: systemClock,
    encryption: createEncryption([key]),
    guard: createGuard({ allowedCidrs: ['127.0.0.0/8'] }),
  }
  for (let number = 0; number < connectionCount; number++)
    await putConnection(deps, `bench-${number}`, {
      provider: 'cdq',
      baseUrl: `http://127.0.0.1:${port}`,
      credentials: { apiKey: 'key' },
      settings: {},
      limits: { maxInFlight: 1_000, minIntervalMs: 1, maxIntervalMs: 1 },
    })
  const fingerprint = fingerprintOf(cdq.readStatus(answer).report, cdq)
  await db.execute(sql`
    INSERT INTO imports (id, connection_id, job_id, state, registered_at, deadline_ms, deadline_at, next_poll_at, polls,
      snapshot_id, fingerprint, progress_changes, metadata)
    SELECT ${timeOrderedId(sql`now()`)}, c.id, 'job-' || n, 'running', now(), 864000000, now() + interval '10 days', now(), 1,
      gen_random_uuid(), ${fingerprint}, '[[1780000000000, 0.77]]', '{}'
    FROM generate_series(1, ${size}::int) n
    JOIN (SELECT id, row_number() OVER (ORDER BY name) - 1 AS number FROM connections) c ON c.number = n % ${connectionCount}`)
  await db.execute(sql`
    INSERT INTO snapshots (id, import_id, state, provider_status, rows, body, first_seen_at, last_seen_at, polls)
    SELECT snapshot_id, id, state, 'RUNNING', '{}', ${JSON.stringify(answer)}, now(), now(), 1 FROM imports`)
  await db.execute(sql`ANALYZE`)
}
