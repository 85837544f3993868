// Owns the rig of the benchmarks of polls: services, a vendor and a worker, and what a window of time costs each part.
import { setTimeout as delay } from 'node:timers/promises'
import { sql } from 'drizzle-orm'
import { percentile } from './figures.ts'
import { cpuUsOf, parentOf, residentBytesOf } from './machine.ts'
import { ask, type BenchServices } from './services.ts'
import type { Seen } from './vendor.ts'

export type Started = Awaited<ReturnType<typeof import('./services.ts').startProcess>>

/** The parts of the machine that a run keeps busy. */
export interface Rig {
  services: BenchServices
  vendor: Started
  /** The workers, ours or a peer's. */
  workers: readonly Started[]
}

/** What a window of time saw, and what it cost. */
export interface Window {
  perSecond: number
  /** Microseconds of CPU for one, by part. */
  nodeUs: number
  postgresUs: number
  redisUs: number
  vendorUs: number
  /** Bytes of write-ahead log for one. */
  walBytes: number
  /** Milliseconds by which requests came late; NaN where nobody asked for them. */
  lateP50: number
  lateP99: number
  /** Megabytes of the workers that are in memory. */
  residentMb: number
}

/** What was done until now, and at what cost; how late requests came since the reading before. */
interface Reading {
  at: number
  polls: number
  latenessMs: number[]
  node: number
  postgres: number
  redis: number
  vendor: number
  wal: number
}

export async function measureWindows(
  rig: Rig,
  { warmUpMs, windowMs, windows }: { warmUpMs: number; windowMs: number; windows: number },
): Promise<Window[]> {
  await delay(warmUpMs)
  const measured: Window[] = []
  let before = await read(rig)
  for (let window = 0; window < windows; window++) {
    await delay(windowMs)
    const after = await read(rig)
    measured.push(windowOf(before, after, sum(rig.workers.map((worker) => residentBytesOf(pidOf(worker))))))
    before = after
  }
  return measured
}

function windowOf(before: Reading, after: Reading, resident: number): Window {
  const polls = after.polls - before.polls
  const each = (part: 'node' | 'postgres' | 'redis' | 'vendor' | 'wal') => (after[part] - before[part]) / polls
  return {
    perSecond: polls / ((after.at - before.at) / 1_000),
    nodeUs: each('node'),
    postgresUs: each('postgres'),
    redisUs: each('redis'),
    vendorUs: each('vendor'),
    walBytes: each('wal'),
    lateP50: percentile(after.latenessMs, 0.5),
    lateP99: percentile(after.latenessMs, 0.99),
    residentMb: resident / 1_048_576,
  }
}

async function read({ services, vendor, workers }: Rig): Promise<Reading> {
  const { rows } = await services.database.db.execute<{ pid: number; wal: string }>(
    sql`SELECT pg_backend_pid() AS pid, pg_current_wal_lsn() - '0/0'::pg_lsn AS wal`,
  )
  const { pid = 0, wal = '0' } = rows[0] ?? {}
  const { requests, latenessMs } = await ask<Seen>(vendor.child, 'seen')
  return {
    at: performance.now(),
    polls: requests,
    latenessMs,
    node: sum(workers.map((worker) => cpuUsOf(pidOf(worker)))),
    postgres: cpuUsOf(parentOf(pid)),
    redis: cpuUsOf(services.redisPid),
    vendor: cpuUsOf(pidOf(vendor)),
    wal: Number(wal),
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

function pidOf({ child }: Started): number {
  if (child.pid === undefined) throw new Error('A process of the benchmark has no pid.')
  return child.pid
}
