// How fast skipped lines and row results get from the provider's socket into Postgres, with the checkpoint of every
// page, beside a plain COPY of the same rows into the same table. Both are measured in turns in one run, each on an
// empty table after a checkpoint. Everything shares this machine's cores, so the figure to look at is the ratio.
import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { sql } from 'drizzle-orm'
import { from as copyFrom } from 'pg-copy-streams'
import { systemClock } from '../src/base/clock.ts'
import { createEncryption } from '../src/base/encryption.ts'
import { newId } from '../src/base/ids.ts'
import { createLog } from '../src/base/log.ts'
import { putProvider } from '../src/catalog/put.ts'
import { collectWork } from '../src/collecting/work.ts'
import { createConnectionAccesses } from '../src/connections/access.ts'
import { putConnection } from '../src/connections/put.ts'
import type { Database, OpenDatabase } from '../src/db/client.ts'
import { createAgents } from '../src/egress/agents.ts'
import { createGuard } from '../src/egress/guard.ts'
import { pollWork } from '../src/polling/work.ts'
import { createProviderClient, providerTimeouts } from '../src/providers/client.ts'
import { takeLeases } from '../src/work/leases.ts'
import { createServer } from '../src/work/serve.ts'
import { median, percentile, print, spread, whole } from './figures.ts'
import { csvDocument, type Pages } from './ingest-rows.ts'
import { endProcess, startDatabase, startProcess } from './services.ts'

interface Case extends Pages {
  name: string
  table: 'skipped_lines' | 'row_results'
}

const cases: Case[] = [
  { name: 'CDQ’s skipped lines', vendor: 'cdq', table: 'skipped_lines', rows: 200_000, pageSize: 1_000 },
  { name: 'CDQ’s skipped lines', vendor: 'cdq', table: 'skipped_lines', rows: 200_000, pageSize: 10_000 },
  { name: 'FullStory’s failed items', vendor: 'fullstory', table: 'row_results', rows: 100_000, pageSize: 1_000 },
  { name: 'failed rows of a CSV elsewhere', vendor: 'csv', table: 'row_results', rows: 1_000_000, pageSize: 1_000 },
  { name: 'micro.so’s results, inline', vendor: 'micro', table: 'row_results', rows: 100_000, pageSize: 100_000 },
]
const rounds = 9
/** Of a file, which takes much longer. */
const roundsOfFile = 3
const key = Buffer.alloc(32, 1)

/** `npm run bench -- ingest [cdq | fullstory | micro …] [--format csv] [--rows 200000]` */
export async function run(options: string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: options,
    allowPositionals: true,
    options: { format: { type: 'string' }, rows: { type: 'string' } },
  })
  const named = values.format === undefined ? positionals : [...positionals, values.format]
  const chosen = cases
    .filter(({ vendor }) => named.length === 0 || named.includes(vendor))
    .map((one) => (values.rows === undefined ? one : { ...one, rows: Number(values.rows) }))
  const services = await startDatabase()
  const ingest = createIngest(services.database)
  try {
    const rows: string[][] = []
    for (const one of chosen) rows.push(await measureCase(services.database, ingest, one))
    print(
      [
        'rows',
        'a page',
        'rows/s',
        'p50, ms',
        'p95, ms',
        'COPY, rows/s',
        'COPY p50, ms',
        'COPY p95, ms',
        'ratio',
        'memory, MB',
      ],
      rows,
    )
  } finally {
    await ingest.close()
    await services.close()
  }
}

async function measureCase(
  database: OpenDatabase,
  ingest: ReturnType<typeof createIngest>,
  { name, table, ...pages }: Case,
): Promise<string[]> {
  const provider = await startProcess('./ingest-provider.ts', pages)
  const { importId, connectionId } = await register(database.db, pages.vendor, provider.ready as number)
  const measured = { ours: [] as number[], copy: [] as number[] }
  let text: Buffer | undefined
  let grownMb = 0
  for (let round = 0; round <= (pages.vendor === 'csv' ? roundsOfFile : rounds); round++) {
    await makeDue(database.db, importId, pages)
    const kind = pages.vendor === 'micro' ? 'poll' : 'collect'
    const memory = watchMemory()
    const ours = await timed(() => ingest.work(kind, connectionId))
    // Afterwards the text of COPY is in memory, too.
    const grown = memory.grownMb()
    if (round === 0) grownMb = grown
    await requireStored(database.db, importId, table, pages.rows)
    text ??= await copyOut(database, `SELECT * FROM ${table} WHERE import_id = '${importId}'`)
    const rowsOfIngest = text
    await empty(database.db)
    const copy = await timed(() => copyIn(database, table, rowsOfIngest))
    await empty(database.db)
    if (round === 0) continue // a warm-up
    measured.ours.push(ours)
    measured.copy.push(copy)
  }
  await endProcess(provider.child)
  const figures = (ms: number[]) => [
    whole(pages.rows / (median(ms) / 1_000)),
    whole(median(ms)),
    whole(percentile(ms, 0.95)),
  ]
  const ratios = measured.ours.map((ms, round) => (measured.copy[round] ?? Number.NaN) / ms)
  return [
    `${whole(pages.rows)} of ${name}`,
    whole(pages.pageSize),
    ...figures(measured.ours),
    ...figures(measured.copy),
    spread(ratios),
    whole(grownMb),
  ]
}

/** By how much this process's memory (RSS) grows at most. */
function watchMemory() {
  const before = process.memoryUsage.rss()
  let most = before
  const look = () => {
    most = Math.max(most, process.memoryUsage.rss())
  }
  const timer = setInterval(look, 20)
  return {
    grownMb() {
      clearInterval(timer)
      look()
      return (most - before) / 1_048_576
    },
  }
}

/** What the service runs for a poll and for a collection, put together as it does. */
function createIngest({ db }: OpenDatabase) {
  const [clock, log, encryption] = [systemClock, createLog('silent'), createEncryption([key])]
  const agents = createAgents({
    guard: createGuard({ allowedCidrs: ['127.0.0.0/8', '::1/128'] }),
    timeouts: providerTimeouts,
  })
  const client = createProviderClient({ agents, clock })
  const accesses = createConnectionAccesses({ db, encryption, log })
  const wake = Object.assign(() => {}, { listen() {} })
  const shared = { db, clock, log, client, accesses, wake }
  const servers = {
    poll: createServer(pollWork({ ...shared, observe: () => {} }), shared),
    collect: createServer(collectWork(shared), shared),
  }
  const { signal } = new AbortController()
  return {
    /** Serves the connection until nothing of this kind is due. */
    async work(kind: 'poll' | 'collect', connectionId: string) {
      const [lease] = await takeLeases(db, kind, [connectionId], clock.now())
      if (!lease) throw new Error('The connection is served already.')
      await servers[kind].serve(lease.id, signal)
    },
    close: () => agents.destroy(),
  }
}

async function register(
  db: Database,
  vendor: Pages['vendor'],
  port: number,
): Promise<{ importId: string; connectionId: string }> {
  const guard = createGuard({ allowedCidrs: ['127.0.0.0/8', '::1/128'] })
  const name = `bench-${newId()}`
  const by = { tokenId: null, name: 'bench', scope: 'admin' }
  if (vendor === 'csv') await putProvider({ db, clock: systemClock, guard, by }, csvDocument.name, csvDocument)
  await putConnection({ db, clock: systemClock, encryption: createEncryption([key]), guard, by }, name, {
    provider: vendor === 'csv' ? csvDocument.name : vendor,
    baseUrl: `http://127.0.0.1:${port}`,
    credentials: { apiKey: 'key' },
    settings: vendor === 'micro' ? { teamId: '35f23c03-1c22-45fe-9484-3ffe769325de' } : {},
    limits: {},
  })
  const importId = newId()
  const { rows } = await db.execute<{ connectionId: string }>(sql`
    INSERT INTO imports (id, connection_id, job_id, state, registered_at, deadline_ms, deadline_at, metadata)
    SELECT ${importId}, id, 'job', 'running', now(), 864000000, now() + interval '10 days', '{}'
    FROM connections WHERE name = ${name} RETURNING connection_id AS "connectionId"`)
  return { importId, connectionId: rows[0]?.connectionId ?? '' }
}

/** Leaves an import to be polled (micro.so), or to be collected from its first page on (the others). */
async function makeDue(db: Database, importId: string, { vendor }: Pages): Promise<void> {
  await db.execute(sql`DELETE FROM detail_pages WHERE import_id = ${importId}`)
  await db.execute(sql`
    UPDATE imports SET skipped_lines = 0, row_results = 0, finished_at = NULL, next_collect_at = NULL,
      details_state = 'none', snapshot_id = NULL, fingerprint = NULL
    WHERE id = ${importId}`)
  await db.execute(
    vendor === 'micro'
      ? sql`
          WITH live AS (UPDATE imports SET state = 'running' WHERE id = ${importId} RETURNING id, connection_id)
          INSERT INTO polling (import_id, connection_id, due_at, polls) SELECT id, connection_id, now(), 0 FROM live`
      : sql`
          UPDATE imports SET state = 'partial', finished_at = now(), details_state = 'pending', next_collect_at = now()
          WHERE id = ${importId}`,
  )
  await db.execute(sql`CHECKPOINT`)
}

async function requireStored(db: Database, importId: string, table: Case['table'], rows: number): Promise<void> {
  const [found] = (
    await db.execute(sql`
      SELECT i.details_state AS state, count(*)::int AS rows FROM ${sql.identifier(table)} t JOIN imports i ON i.id = t.import_id
      WHERE i.id = ${importId} GROUP BY 1`)
  ).rows
  if (found?.state !== 'complete' || found.rows !== rows)
    throw new Error(`Not all rows were stored: ${JSON.stringify(found)}`)
}

async function empty(db: Database): Promise<void> {
  await db.execute(sql`TRUNCATE skipped_lines, row_results`)
  await db.execute(sql`CHECKPOINT`)
}

/** Rows in the text format of COPY. */
async function copyOut({ pool }: OpenDatabase, query: string): Promise<Buffer> {
  const asText = { getTypeParser: () => (value: string) => value }
  const { rows } = await pool.query<(string | null)[]>({ text: query, rowMode: 'array', types: asText })
  const escaped = (value: string) => value.replace(/[\\\t\n\r]/g, (char) => escapes[char] ?? char)
  return Buffer.from(
    rows.map((row) => `${row.map((value) => (value === null ? '\\N' : escaped(value))).join('\t')}\n`).join(''),
  )
}

const escapes: Record<string, string> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' }

async function copyIn({ pool }: OpenDatabase, table: Case['table'], text: Buffer): Promise<void> {
  const client = await pool.connect()
  try {
    const stream = client.query(copyFrom(`COPY ${table} FROM STDIN`))
    stream.end(text)
    await once(stream, 'finish')
  } finally {
    client.release()
  }
}

async function timed(work: () => Promise<void>): Promise<number> {
  const startedAt = performance.now()
  await work()
  return performance.now() - startedAt
}
