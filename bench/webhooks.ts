// How soon a webhook goes out after the commit of its event, how many go out a second, what one costs beside a bare
// POST at the same rate, and whether a thousand dead endpoints hold up a healthy one. Everything shares this machine's
// cores, so the figures to look at are the ratios.
import { setTimeout as delay } from 'node:timers/promises'
import { sql } from 'drizzle-orm'
import { systemClock } from '../src/base/clock.ts'
import { createEncryption } from '../src/base/encryption.ts'
import { createLog } from '../src/base/log.ts'
import type { Database } from '../src/db/client.ts'
import { readInstallationId } from '../src/db/installation.ts'
import { writeEvents } from '../src/events/write.ts'
import { openQueues } from '../src/queue/queues.ts'
import { createEndpoint } from '../src/webhooks/endpoints/create.ts'
import { createEndpointSchema } from '../src/webhooks/endpoints/input.ts'
import { createWake, type Wake } from '../src/work/wake.ts'
import { median, percentile, print, type Rate, type Reading, rateOf, sharedNow, spread, whole } from './figures.ts'
import { ask, type BenchServices, endProcess, startProcess, startServices } from './services.ts'

const eventsPerSecond = 200
const latencySeconds = 8
const rounds = 3
const sustained = { endpoints: 20, events: 300 }
const dead = { endpoints: 1_000, deliveriesEach: 100 }
const key = Buffer.alloc(32, 1)

type EventType = 'import.succeeded' | 'import.partial' | 'import.failed' | 'import.canceled'

interface Bench {
  db: Database
  wake: Wake
  services: BenchServices
  receiver: Awaited<ReturnType<typeof startProcess>>
  tracker: Awaited<ReturnType<typeof startProcess>>
}

/** @param parts `rates`, `dead`, `hanging`: only these, beside what a webhook takes alone; none: all. */
export async function run(parts: string[] = []): Promise<void> {
  const isWanted = (part: string) => parts.length === 0 || parts.includes(part)
  const services = await startServices()
  const receiver = await startProcess('./webhooks-receiver.ts', {})
  const tracker = await startProcess('./tracker.ts', trackerEnvironment(services))
  const queues = openQueues({
    redisUrl: services.redisUrl,
    databaseUrl: services.databaseUrl,
    installationId: await readInstallationId(services.database.db),
    onError: () => {},
  })
  const { db } = services.database
  const bench = { db, wake: createWake({ queues, log: createLog('silent') }), services, receiver, tracker }
  try {
    await endpoints(bench, 1, '/ok', 'import.succeeded')
    await latencies(bench) // a warm-up
    const alone: number[][] = []
    for (let round = 0; round < rounds; round++) alone.push(await latencies(bench))
    showLatencies('alone', alone)

    if (isWanted('rates')) {
      await endpoints(bench, sustained.endpoints, '/ok', 'import.partial')
      await showRates(bench)
    }
    if (isWanted('dead')) {
      await hanging(bench, 'import.failed')
      await besideHanging(bench, alone, 'that never answered, in their first half a minute')
      await untilFailing(bench)
      await besideHanging(bench, alone, 'that are dead: their breakers are open')
      await remove(bench, 'import.failed')
    }
    if (isWanted('hanging')) {
      await hanging(bench, 'import.canceled', true)
      await besideHanging(bench, alone, 'that answered until now, and hang all at once')
    }
  } finally {
    await endProcess(tracker.child)
    await endProcess(receiver.child)
    await queues.close()
    await services.close()
  }
}

/** A thousand endpoints that hang, with a hundred deliveries due to each. */
async function hanging(bench: Bench, type: EventType, hasAnswered = false): Promise<void> {
  await endpoints(bench, dead.endpoints, '/hang', type)
  if (hasAnswered) await bench.db.execute(sql`UPDATE webhook_endpoints SET last_success_at = now()`)
  await write(bench, type, dead.deliveriesEach)
}

async function untilFailing({ db }: Bench): Promise<void> {
  for (let isOver = false; !isOver; await delay(1_000)) {
    const { rows } = await db.execute(sql`SELECT count(failing_since)::int AS count FROM webhook_endpoints`)
    isOver = rows[0]?.count === dead.endpoints
  }
}

async function remove({ db }: Bench, type: EventType): Promise<void> {
  await db.execute(sql`UPDATE webhook_endpoints SET deleted_at = now() WHERE ${type} = ANY (types)`)
}

async function besideHanging(bench: Bench, alone: number[][], which: string): Promise<void> {
  const beside: number[][] = []
  for (let round = 0; round < rounds; round++) beside.push(await latencies(bench))
  const due = whole(dead.endpoints * dead.deliveriesEach)
  showLatencies(`beside ${whole(dead.endpoints)} with ${due} deliveries ${which}`, beside)
  const p99 = (figures: number[][]) => figures.map((round) => percentile(round, 0.99))
  const ratios = p99(beside).map((figure) => figure / median(p99(alone)))
  console.log(`p99 beside them, over p99 alone: ${spread(ratios)}`)
}

function trackerEnvironment({ databaseUrl, redisUrl }: BenchServices) {
  return {
    DATABASE_URL: databaseUrl,
    REDIS_URL: redisUrl,
    ROLES: 'worker',
    PORT: '0',
    ENCRYPTION_KEYS: key.toString('base64'),
    WEBHOOK_ALLOWED_CIDRS: '127.0.0.0/8',
    LOG_LEVEL: 'warn',
  }
}

async function endpoints({ db, receiver }: Bench, count: number, path: string, type: string): Promise<void> {
  const deps = {
    db,
    clock: systemClock,
    encryption: createEncryption([key]),
    by: { tokenId: null, name: 'bench', scope: 'admin' },
    checkDestination: async () => null,
  }
  const input = createEndpointSchema.parse({ url: `http://127.0.0.1:${receiver.ready}${path}`, types: [type] })
  for (let number = 0; number < count; number++) await createEndpoint(deps, input)
}

/** Commits events, and returns when each was committed. */
async function write({ db, wake }: Bench, type: EventType, count: number) {
  const events = Array.from({ length: count }, () => ({
    type,
    importId: null,
    connectionId: null,
    connectionName: null,
    occurredAt: systemClock.now(),
    data: {
      id: '01a201b5-16bf-734f-aa70-e4e886252e1d',
      connection: 'bench',
      state: 'succeeded',
      metadata: { run: 42 },
    },
  }))
  const ids = await db.transaction((tx) => writeEvents(tx, events))
  const at = sharedNow()
  wake(['deliver'])
  return ids.map((id) => [id, at] as const)
}

/** Milliseconds from the commit to the arrival of the first attempt, at a steady rate of events. */
async function latencies(bench: Bench): Promise<number[]> {
  await ask(bench.receiver.child, 'arrivals')
  const committed = new Map<string, number>()
  const startedAt = performance.now()
  for (let sent = 0; sent < eventsPerSecond * latencySeconds; sent++) {
    const due = startedAt + (sent / eventsPerSecond) * 1_000
    if (due > performance.now()) await delay(due - performance.now())
    void write(bench, 'import.succeeded', 1).then(([event]) => event && committed.set(event[0], event[1]))
  }
  await delay(3_000)
  const arrivals = await ask<[string, number][]>(bench.receiver.child, 'arrivals')
  const first = new Map(arrivals.reverse())
  return [...committed].map(([id, at]) => (first.get(id) ?? Number.POSITIVE_INFINITY) - at)
}

function showLatencies(what: string, all: number[][]): void {
  const figures = [0.5, 0.95, 0.99, 1].map((share) => all.map((round) => percentile(round, share)))
  console.log(`\nCommit → first attempt at ${eventsPerSecond} events/s, ${what}: the median of ${rounds} rounds, ms`)
  print(['p50', 'p95', 'p99', 'max'], [figures.map((figure) => whole(median(figure)))])
}

async function showRates(bench: Bench): Promise<void> {
  const rates: Rate[] = []
  for (let round = 0; round < rounds; round++) rates.push(await sustainedRate(bench))
  const rate = median(rates.map(({ perSecond }) => perSecond))
  const bare = await bareRate(bench, rate)
  console.log(`\nSustained deliveries to ${sustained.endpoints} endpoints, 5 at once to each`)
  print(
    ['deliveries/s', 'CPU a delivery, µs', 'bare POST at the same rate, µs', 'ratio'],
    [
      [
        whole(rate),
        whole(median(rates.map(({ cpuUs }) => cpuUs))),
        whole(bare.cpuUs),
        spread(rates.map(({ cpuUs }) => cpuUs / bare.cpuUs)),
      ],
    ],
  )
}

async function sustainedRate(bench: Bench): Promise<Rate> {
  const read = async (): Promise<Reading> => {
    const [row] = (await bench.db.execute(sql`SELECT count(*)::int AS count FROM deliveries WHERE state = 'delivered'`))
      .rows
    return { count: row?.count as number, cpu: await ask<NodeJS.CpuUsage>(bench.tracker.child, 'usage') }
  }
  const before = await read()
  const startedAt = performance.now()
  await write(bench, 'import.partial', sustained.events)
  let after = await read()
  while (after.count < before.count + sustained.events * sustained.endpoints) {
    await delay(100)
    after = await read()
  }
  return rateOf(before, after, performance.now() - startedAt)
}

async function bareRate({ receiver }: Bench, perSecond: number): Promise<Rate> {
  const body = JSON.stringify({ type: 'import.partial', timestamp: systemClock.now(), data: { state: 'partial' } })
  const request = { method: 'POST', path: '/ok', headers: { 'content-type': 'application/json' }, body }
  const options = { port: receiver.ready, connections: 100, perSecond, request }
  const { child } = await startProcess('./bare.ts', options)
  await delay(3_000)
  const before = await ask<Reading>(child, 'reading')
  await delay(10_000)
  const after = await ask<Reading>(child, 'reading')
  await endProcess(child)
  return rateOf(before, after, 10_000)
}
