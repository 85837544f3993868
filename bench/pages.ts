// How fast each page is when the history is large: a service alone in a process of its own, asked by one request at a
// time, over 24 months of 40 connections with some ten snapshots an import. `--imports 100000` fills a tenth. `--url`
// takes a database that is filled already, `--only` a page by
// its name. Its CPU, with that of Postgres, says what a page costs beside other work.
import { Buffer } from 'node:buffer'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { gzipSync } from 'node:zlib'
import { eq, sql } from 'drizzle-orm'
import { createEncryption } from '../src/base/encryption.ts'
import { sealCredentials } from '../src/connections/secrets.ts'
import { type Database, type OpenDatabase, openDatabase } from '../src/db/client.ts'
import { connections, webhookEndpoints } from '../src/db/schema/index.ts'
import { migrateQueue } from '../src/queue/migrate.ts'
import { rollUp } from '../src/reporting/daily-outcomes.ts'
import { sealSecret } from '../src/webhooks/endpoints/secrets.ts'
import { median, percentile, print, whole } from './figures.ts'
import { fillHistory, fullVolume } from './history-fill.ts'
import { cpuUsOf, parentOf } from './machine.ts'
import { type Asked, askedPages, fillLongImport } from './pages-asked.ts'
import { endProcess, freePort, startDatabase, startProcess } from './services.ts'

const key = Buffer.alloc(32, 1)
const settings = { max_wal_size: '8GB', checkpoint_timeout: '30min' }
const adminToken = 'a-token-of-the-benchmark'
/** Longer than pages remember what many of them show. */
const forgottenMs = 5_100
const mostAssetBytes = 60 * 1_024

export async function run(options: string[]): Promise<void> {
  const { values } = parseArgs({
    args: options,
    options: {
      imports: { type: 'string', default: `${fullVolume.imports}` },
      requests: { type: 'string', default: '30' },
      url: { type: 'string' },
      only: { type: 'string' },
    },
  })
  const [imports, requests] = [Number(values.imports), Number(values.requests)]
  if (!(imports >= 1_000) || !(requests >= 1)) throw new Error('--imports must be 1000 or more, --requests 1 or more.')
  await using opened = new AsyncDisposableStack()
  const { database, url } = await (values.url ? openFilled(opened, values.url) : fill(opened, imports))
  await sealSecrets(database.db)
  const long = await fillLongImport(database.db)
  const port = await freePort()
  const service = await startProcess('./tracker.ts', {
    DATABASE_URL: url,
    PORT: `${port}`,
    HOST: '127.0.0.1',
    ROLES: 'api',
    ADMIN_TOKEN: adminToken,
    ENCRYPTION_KEYS: key.toString('base64'),
    LOG_LEVEL: 'error',
  })
  opened.defer(() => endProcess(service.child))
  const site = await signIn(`http://127.0.0.1:${port}`)
  const cpu = await cpuOf(database, service.child.pid ?? 0)
  const scansBefore = await scansOf(database.db)
  const rows: string[][] = []
  for (const asked of await askedPages(database.db, long)) {
    if (values.only && asked.name !== values.only) continue
    rows.push(await measurePage(site, asked, { requests, cpu }))
  }
  print(['page', 'after 5 s, ms', 'p50, ms', 'p99, ms', 'CPU, ms', 'kB', 'must be'], rows)
  await delay(2_000) // until Postgres has counted
  console.log(`Whole readings of imports, deliveries, events: ${(await scansOf(database.db)) - scansBefore}`)
  const assets = await assetsOf(site)
  console.log(
    `Scripts and styles of the pages, compressed: ${whole(assets)} bytes, ${assets <= mostAssetBytes ? 'at most' : 'MISSED:'} ${whole(mostAssetBytes)}`,
  )
}

async function fill(opened: AsyncDisposableStack, imports: number) {
  const services = await startDatabase(settings)
  opened.defer(() => services.close())
  const { db } = services.database
  const startedAt = performance.now()
  await migrateQueue(services.database.pool)
  await fillHistory(db, { imports, linesOfOldestMonth: 0 })
  await db.execute(sql`
    INSERT INTO daily_outcomes_due (day, connection_id)
    SELECT (registered_at AT TIME ZONE 'UTC')::date, connection_id FROM imports WHERE registered_at > now() - interval '40 days'
    UNION SELECT (finished_at AT TIME ZONE 'UTC')::date, connection_id FROM imports WHERE finished_at > now() - interval '40 days'`)
  await rollUp({ db }, new AbortController().signal)
  await db.execute(sql`VACUUM (ANALYZE) daily_outcomes`)
  console.log(`${whole(imports)} imports filled: ${((performance.now() - startedAt) / 1_000).toFixed(0)} s`)
  return { database: services.database, url: services.databaseUrl }
}

async function openFilled(opened: AsyncDisposableStack, url: string) {
  const database = openDatabase(url, { maxConnections: 2, onError: () => {}, silentForMs: 300_000 })
  opened.defer(() => database.close())
  return { database, url }
}

/** The service opens them, but the history is filled past it. */
async function sealSecrets(db: Database): Promise<void> {
  const encryption = createEncryption([key])
  for (const { id } of await db.select({ id: connections.id }).from(connections))
    await db
      .update(connections)
      .set({ credentials: sealCredentials(encryption, id, {}) })
      .where(eq(connections.id, id))
  for (const { id } of await db.select({ id: webhookEndpoints.id }).from(webhookEndpoints))
    await db
      .update(webhookEndpoints)
      .set({ secret: sealSecret(encryption, id, `whsec_${key.toString('base64')}`) })
      .where(eq(webhookEndpoints.id, id))
}

interface Site {
  url: string
  cookie: string
}

async function signIn(url: string): Promise<Site> {
  const { headers } = await fetch(`${url}/login`, {
    method: 'POST',
    redirect: 'manual',
    body: new URLSearchParams({ token: adminToken }),
  })
  const cookie = headers.getSetCookie()[0]?.split(';')[0]
  if (cookie === undefined) throw new Error('The benchmark could not sign in.')
  return { url, cookie }
}

async function measurePage(
  site: Site,
  { name, path, targetMs = 100 }: Asked,
  { requests, cpu }: { requests: number; cpu: () => number },
): Promise<string[]> {
  await timeOf(site, path) // a warm-up
  await delay(forgottenMs)
  const first = await timeOf(site, path)
  const times: number[] = []
  const before = cpu()
  for (let request = 0; request < requests; request++) times.push((await timeOf(site, path)).ms)
  const cpuMs = (cpu() - before) / 1_000 / requests
  const missed = median(times) >= targetMs ? 'MISSED' : percentile(times, 0.99) >= targetMs ? 'p99 MISSED' : ''
  return [
    name,
    first.ms.toFixed(0),
    median(times).toFixed(0),
    percentile(times, 0.99).toFixed(0),
    cpuMs.toFixed(1),
    whole(first.bytes / 1_024),
    `${missed} < ${targetMs}`.trim(),
  ]
}

/** From the request until the whole answer is there. */
async function timeOf({ url, cookie }: Site, path: string): Promise<{ ms: number; bytes: number }> {
  const startedAt = performance.now()
  const headers = path.startsWith('/v1/') ? { authorization: `Bearer ${adminToken}` } : { cookie, accept: 'text/html' }
  const response = await fetch(url + path, { headers, redirect: 'manual' })
  const body = await response.arrayBuffer()
  const ms = performance.now() - startedAt
  if (response.status !== 200)
    throw new Error(
      `${path} answered ${response.status}: ${response.headers.get('location') ?? Buffer.from(body).toString().slice(0, 200)}`,
    )
  return { ms, bytes: body.byteLength }
}

/** Microseconds that the service and Postgres have used. */
async function cpuOf({ db }: OpenDatabase, service: number): Promise<() => number> {
  const { rows } = await db.execute<{ pid: number }>(sql`SELECT pg_backend_pid() AS pid`)
  const postmaster = parentOf(rows[0]?.pid ?? 0)
  return () => cpuUsOf(service) + cpuUsOf(postmaster)
}

async function scansOf(db: Database): Promise<number> {
  const { rows } = await db.execute<{ scans: number }>(sql`
    SELECT coalesce(sum(seq_scan), 0)::float8 AS scans FROM pg_stat_user_tables
    WHERE relname ~ '^(imports|deliveries|events)(_\\d|$)' AND n_live_tup > 1000`)
  return rows[0]?.scans ?? 0
}

/** The bytes of all that a page of ours loads, as a proxy would compress them. */
async function assetsOf({ url, cookie }: Site): Promise<number> {
  const page = await (await fetch(`${url}/imports`, { headers: { cookie, accept: 'text/html' } })).text()
  const paths = [...page.matchAll(/(?:src|href)="([^"]+\.(?:js|css))"/g)].map(([, path = '']) => path)
  const files = await Promise.all(paths.map(async (path) => Buffer.from(await (await fetch(url + path)).arrayBuffer())))
  return files.reduce((sum, file) => sum + gzipSync(file).byteLength, 0)
}
