// How many polls one process makes, what a poll costs each part of the machine, and how late it comes: from "due" in
// Postgres through the queue, a vendor's answer over a socket, and back into Postgres. Beside it a bare undici loop at
// the same rate. Everything shares this machine's cores, so the figures to look at are the ratios.
import { parseArgs } from 'node:util'
import { sql } from 'drizzle-orm'
import { measure, median, print, type Reading, spread, whole } from './figures.ts'
import { runLifecycle } from './lifecycle.ts'
import { startOurs, startWorker, type Tracked } from './ours.ts'
import { measureWindows, type Started, type Window } from './rig.ts'
import { ask, type BenchServices, endProcess, startProcess, startServices } from './services.ts'
import type { Mode } from './vendor.ts'

const sockets = 64
const timing = { warmUpMs: 4_000, windowMs: 5_000, windows: 3 }

interface Setup extends Tracked {
  mode: Exclude<Mode, 'lifecycle'>
  /** Processes that poll. */
  workers: number
  windows: number
}

export async function run(options: string[]): Promise<void> {
  const { values } = parseArgs({
    args: options,
    options: {
      mode: { type: 'string', default: 'unchanged,progress,lifecycle' },
      store: { type: 'string', default: 'redis,postgres' },
      imports: { type: 'string', default: '1000,20000,100000' },
      connections: { type: 'string', default: '1,50' },
      every: { type: 'string' },
      metered: { type: 'boolean', default: false },
      due: { type: 'string', default: '1' },
      workers: { type: 'string', default: '1' },
      provider: { type: 'string', default: 'file' },
      windows: { type: 'string', default: '3' },
      rounds: { type: 'string', default: '3' },
    },
  })
  const stores = values.store.split(',') as Setup['store'][]
  const modes = values.mode.split(',') as Mode[]
  if (modes.includes('lifecycle')) await runLifecycle(stores)
  const everyMs = values.every === undefined ? null : Number(values.every)
  const rows: string[][] = []
  for (const mode of modes.filter((one) => one !== 'lifecycle'))
    for (const store of stores)
      for (const imports of values.imports.split(',').map(Number))
        for (const connections of values.connections.split(',').map(Number))
          for (const workers of values.workers.split(',').map(Number)) {
            const tracked = { mode, store, imports, connections, everyMs, metered: values.metered }
            const setup = { ...tracked, dueShare: Number(values.due), workers, windows: Number(values.windows) }
            if (values.provider === 'document') rows.push(...(await compareProviders(setup, Number(values.rounds))))
            else rows.push(await measureAndTell(setup).then(({ row }) => row))
          }
  if (rows.length === 0) return
  print(
    [
      'answers',
      'queue in',
      'imports',
      'connections',
      'workers',
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
      'queue, MB',
    ],
    rows,
  )
}

interface Measured {
  row: string[]
  nodeUs: number
  /** Of Node, Postgres and Redis. */
  allUs: number
}

async function measureAndTell(setup: Setup): Promise<Measured> {
  const measured = await measureSetup(setup)
  console.log(measured.row.join(' · '))
  return measured
}

/** Measures polls by the file and by the document in turns, so that a change of the machine's load meets both. */
async function compareProviders(setup: Setup, rounds: number): Promise<string[][]> {
  const [byFile, byDocument]: [Measured[], Measured[]] = [[], []]
  for (let round = 0; round < rounds; round++) {
    const measures = [
      async () => byFile.push(await measureAndTell(setup)),
      async () => byDocument.push(await measureAndTell({ ...setup, provider: 'document' })),
    ]
    // Each is the first one in every other round.
    for (const measureOne of round % 2 === 0 ? measures : measures.reverse()) await measureOne()
  }
  for (const [what, of] of [
    ['in Node', 'nodeUs'],
    ['as a whole, with Postgres and Redis', 'allUs'],
  ] as const) {
    const costs = [byDocument, byFile].map((measured) => median(measured.map((one) => one[of])))
    const ratios = byDocument.map((one, round) => one[of] / (byFile[round]?.[of] ?? Number.NaN))
    const [document = 0, file = 1] = costs
    const ratio = (document / file).toFixed(2)
    console.log(`A poll by a document costs ${ratio} of one by a file (rounds: ${spread(ratios)}), ${what}.`)
  }
  return [...byFile, ...byDocument].map(({ row }) => row)
}

async function measureSetup(setup: Setup): Promise<Measured> {
  const { mode, provider = 'file', store, imports, connections, workers, everyMs, dueShare } = setup
  const vendor = await startProcess('./vendor.ts', { mode, everyMs })
  const { windows, queueMb } = await measurePolls(setup, vendor)
  const figure = (of: keyof Window) => median(windows.map((window) => window[of]))
  const bare = await measureBare(vendor.ready as number, figure('perSecond'))
  await endProcess(vendor.child)
  const row = [
    provider === 'file' ? mode : `${mode}, by a document`,
    store,
    whole(imports),
    whole(connections),
    whole(workers),
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
    queueMb.toFixed(1),
  ]
  return { row, nodeUs: figure('nodeUs'), allUs: figure('nodeUs') + figure('postgresUs') + figure('redisUs') }
}

/** Microseconds of CPU for a bare request at this rate. */
async function measureBare(port: number, perSecond: number): Promise<number> {
  const request = { method: 'GET', path: '/jobs/importjobs/1', headers: { 'x-api-key': 'key' } }
  const { child } = await startProcess('./bare.ts', { port, connections: sockets, perSecond, request })
  const measured = await measure(() => ask<Reading>(child, 'reading'), { ...timing, windows: 2 })
  await endProcess(child)
  return median(measured.map(({ cpuUs }) => cpuUs))
}

async function measurePolls(setup: Setup, vendor: Started): Promise<{ windows: Window[]; queueMb: number }> {
  const services = await startServices()
  try {
    const workers = [await startOurs(services, vendor.ready as number, setup)]
    while (workers.length < setup.workers) workers.push(await startWorker(services, setup.store))
    const warmUpMs = Math.max(timing.warmUpMs, Math.min(2 * (setup.everyMs ?? 0), 30_000))
    // A window sees each import as often as another window does.
    const windowMs = Math.max(timing.windowMs, setup.everyMs ?? 0)
    const windows = await measureWindows({ services, vendor, workers }, { windows: setup.windows, warmUpMs, windowMs })
    await Promise.all(workers.map(({ child }) => endProcess(child)))
    return { windows, queueMb: await queueMbOf(services) }
  } finally {
    await services.close()
  }
}

/** Megabytes of the queue's tables in Postgres, with their indexes. */
async function queueMbOf({ database }: BenchServices): Promise<number> {
  const { rows } = await database.db.execute<{ mb: number }>(sql`
    SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::float8 / 1e6 AS mb
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'bullmq' AND c.relkind = 'r'`)
  return rows[0]?.mb ?? 0
}
