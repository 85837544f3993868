// What a team could run instead, on the same imports at the same vendor, with the same Postgres and Redis, in one run:
// polls a second where all are always due, what a poll costs each part, how late polls come at a rate that all can
// keep up, memory, and the bytes that a tracked import takes.
import { parseArgs } from 'node:util'
import { sql } from 'drizzle-orm'
import { Redis } from 'ioredis'
import { median, print, whole } from './figures.ts'
import { startOurs } from './ours.ts'
import { measureWindows, type Started, type Window } from './rig.ts'
import { type BenchServices, endProcess, startProcess, startServices } from './services.ts'
import type { Mode } from './vendor.ts'

const timing = { warmUpMs: 5_000, windowMs: 5_000, windows: 3 }
/** More polls a second than anybody makes on two cores: the imports are always due. */
const saturatingPerSecond = 20_000
const concurrency = 64

export const peers = ['import-tracker', 'bullmq', 'pg-boss', 'graphile-worker'] as const
type Peer = (typeof peers)[number]

export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      mode: { type: 'string', default: 'unchanged,progress' },
      imports: { type: 'string', default: '1000,10000,100000' },
      peers: { type: 'string', default: peers.join(',') },
      paced: { type: 'string', default: '500' },
    },
  })
  const rows: string[][] = []
  for (const mode of values.mode.split(',') as Mode[])
    for (const imports of values.imports.split(',').map(Number)) {
      const saturated = new Map<Peer, Measured>()
      for (const peer of values.peers.split(',') as Peer[]) {
        const measured = await measurePeer(peer, mode, imports, saturatingPerSecond)
        const paced = await measurePeer(peer, mode, imports, Number(values.paced))
        saturated.set(peer, measured)
        rows.push(rowOf(peer, mode, imports, measured, paced, saturated.get('import-tracker')))
        console.log(rows.at(-1)?.join(' · '))
      }
    }
  print(
    [
      'by',
      'answers',
      'imports',
      'polls/s',
      'ours over it',
      'node, µs',
      'Postgres, µs',
      'Redis, µs',
      'MB',
      'bytes an import',
      `late p50 at ${values.paced}/s, ms`,
      'late p99, ms',
    ],
    rows,
  )
}

interface Measured {
  windows: Window[]
  /** Of Postgres and Redis together, before the first poll. */
  bytesPerImport: number
}

function rowOf(peer: Peer, mode: Mode, imports: number, measured: Measured, paced: Measured, ours?: Measured) {
  const figure = ({ windows }: Measured, of: keyof Window) => median(windows.map((window) => window[of]))
  return [
    peer,
    mode,
    whole(imports),
    whole(figure(measured, 'perSecond')),
    ours ? (figure(ours, 'perSecond') / figure(measured, 'perSecond')).toFixed(2) : '',
    whole(figure(measured, 'nodeUs')),
    whole(figure(measured, 'postgresUs')),
    whole(figure(measured, 'redisUs')),
    whole(figure(measured, 'residentMb')),
    whole(measured.bytesPerImport),
    whole(figure(paced, 'lateP50')),
    whole(figure(paced, 'lateP99')),
  ]
}

async function measurePeer(peer: Peer, mode: Mode, imports: number, perSecond: number): Promise<Measured> {
  const everyMs = Math.max(1, Math.round((imports * 1_000) / perSecond))
  const vendor = await startProcess('./vendor.ts', { mode, everyMs })
  const services = await startServices()
  try {
    const empty = await storedBytes(services)
    const worker = await startPeer(peer, services, vendor, { imports, everyMs })
    const bytesPerImport = ((await storedBytes(services)) - empty) / imports
    const warmUpMs = Math.min(Math.max(timing.warmUpMs, 2 * everyMs), 30_000)
    const windows = await measureWindows({ services, vendor, workers: [worker] }, { ...timing, warmUpMs })
    await endProcess(worker.child)
    return { windows, bytesPerImport }
  } finally {
    await services.close()
    await endProcess(vendor.child)
  }
}

function startPeer(
  peer: Peer,
  services: BenchServices,
  vendor: Started,
  { imports, everyMs }: { imports: number; everyMs: number },
): Promise<Started> {
  const port = vendor.ready as number
  if (peer === 'import-tracker')
    return startOurs(services, port, { store: 'redis', imports, connections: 1, everyMs, metered: false, dueShare: 1 })
  const { databaseUrl, redisUrl } = services
  return startProcess(`./peers/${peer}.ts`, { databaseUrl, redisUrl, port, imports, everyMs, concurrency })
}

/** Bytes of the database and of Redis's data. */
async function storedBytes({ database, redisUrl }: BenchServices): Promise<number> {
  const { rows } = await database.db.execute<{ bytes: string }>(
    sql`SELECT pg_database_size(current_database()) AS bytes`,
  )
  const redis = new Redis(redisUrl)
  const [, used = 0] = /^used_memory_dataset:(\d+)/m.exec(await redis.info('memory')) ?? []
  redis.disconnect()
  return Number(rows[0]?.bytes) + Number(used)
}
