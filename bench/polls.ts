// How many polls one process makes, and what a poll costs: from "due" in Postgres through the queue in Redis, a
// provider's answer over a socket, and back into Postgres, beside a bare undici loop in the same run. Everything
// shares this machine's cores, so the figure to look at is the ratio.
import { setTimeout as delay } from 'node:timers/promises'
import { sql } from 'drizzle-orm'
import { systemClock } from '../src/clock.ts'
import { putConnection } from '../src/connections/put.ts'
import type { Database } from '../src/db/client.ts'
import { createGuard } from '../src/egress/guard.ts'
import { createEncryption } from '../src/encryption.ts'
import { fingerprintOf } from '../src/imports/fingerprint.ts'
import { cdq } from '../src/providers/cdq.ts'
import { answer } from './polls-answer.ts'
import { ask, endProcess, startProcess, startServices } from './services.ts'

const connectionCount = 8
const sockets = 64
const warmUpMs = 5_000
const windowMs = 10_000
const windows = 3
const key = Buffer.alloc(32, 1)

interface Measured {
  perSecond: number
  /** Microseconds of the process's CPU. */
  cpuUs: number
}

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
      `${median(ratios).toFixed(2)} (${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)})`,
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

async function measureBare(port: number, perSecond: number | null): Promise<Measured[]> {
  const { child } = await startProcess('./polls-bare.ts', { port, connections: sockets, perSecond })
  const measured = await measure(async () => {
    const { requests, ...cpu } = await ask<NodeJS.CpuUsage & { requests: number }>(child, 'usage')
    return { count: requests, cpu }
  })
  await endProcess(child)
  return measured
}

async function measurePolls(port: number, size: number): Promise<Measured[]> {
  const services = await startServices()
  try {
    const { db } = services.database
    await track(db, port, size)
    const { child } = await startProcess('./polls-tracker.ts', {
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
    })
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
    SELECT gen_random_uuid(), c.id, 'job-' || n, 'running', now(), 864000000, now() + interval '10 days', now(), 1,
      gen_random_uuid(), ${fingerprint}, '[[1780000000000, 0.77]]', '{}'
    FROM generate_series(1, ${size}::int) n
    JOIN (SELECT id, row_number() OVER (ORDER BY name) - 1 AS number FROM connections) c ON c.number = n % ${connectionCount}`)
  await db.execute(sql`
    INSERT INTO snapshots (id, import_id, state, provider_status, rows, body, first_seen_at, last_seen_at, polls)
    SELECT snapshot_id, id, state, 'RUNNING', '{}', ${JSON.stringify(answer)}, now(), now(), 1 FROM imports`)
  await db.execute(sql`ANALYZE`)
}

async function measure(read: () => Promise<{ count: number; cpu: NodeJS.CpuUsage }>): Promise<Measured[]> {
  await delay(warmUpMs)
  const measured: Measured[] = []
  for (let window = 0; window < windows; window++) {
    const startedAt = performance.now()
    const before = await read()
    await delay(windowMs)
    const after = await read()
    const done = after.count - before.count
    const cpuUs = after.cpu.user + after.cpu.system - before.cpu.user - before.cpu.system
    measured.push({ perSecond: done / ((performance.now() - startedAt) / 1_000), cpuUs: cpuUs / done })
  }
  return measured
}

function whole(figure: number): string {
  return Math.round(figure).toLocaleString('en')
}

function median(figures: readonly number[]): number {
  return [...figures].sort((a, b) => a - b)[Math.floor(figures.length / 2)] ?? Number.NaN
}

function print(head: string[], rows: string[][]): void {
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`
  console.log([line(head), line(head.map(() => '---:')), ...rows.map(line)].join('\n'))
}
