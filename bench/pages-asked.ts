// Owns which pages and lists the benchmark asks for: each page, and each filter by itself.
import { sql } from 'drizzle-orm'
import { newId } from '../src/base/ids.ts'
import type { Database } from '../src/db/client.ts'

export interface Asked {
  name: string
  path: string
  targetMs?: number
}

const reports = 10_000
const longName = 'bench-long'

/** An import of ten thousand reports, once. Returns its id. */
export async function fillLongImport(db: Database): Promise<string> {
  const { rows: found } = await db.execute<{ id: string }>(sql`SELECT id FROM imports WHERE job_id = ${longName}`)
  if (found[0]) return found[0].id
  const id = newId()
  await db.execute(sql`
    WITH added AS (
      INSERT INTO imports (id, connection_id, job_id, state, registered_at, first_polled_at, last_polled_at, finished_at,
        deadline_ms, deadline_at, polls, metadata)
      SELECT ${id}::uuid, id, ${longName}, 'succeeded', now() - interval '2 h', now() - interval '2 h', now() - interval '5 min',
        now() - interval '5 min', 604800000, now() + interval '6 days', ${reports}, '{}'
      FROM connections ORDER BY name LIMIT 1
    )
    INSERT INTO snapshots (id, import_id, state, provider_status, progress, rows, body, first_seen_at, last_seen_at, polls)
    SELECT uuidv7(seen_at - clock_timestamp()), ${id}::uuid, CASE WHEN n < ${reports} THEN 'running' ELSE 'succeeded' END,
      'RUNNING', n::float8 / ${reports}, jsonb_build_object('total', ${reports}::int, 'processed', n),
      jsonb_build_object('status', 'RUNNING', 'done', n, 'name', 'Process vendor data.'), seen_at, seen_at, 1
    FROM generate_series(1, ${reports}::int) n
    CROSS JOIN LATERAL (SELECT now() - interval '2 h' + n * interval '0.7 s' AS seen_at) s`)
  return id
}

export async function askedPages(db: Database, longImport: string): Promise<Asked[]> {
  const { rows } = await db.execute<Record<string, string>>(sql`
    SELECT
      (SELECT id FROM imports WHERE skipped_lines > 0 ORDER BY registered_at DESC LIMIT 1) AS "withLines",
      (SELECT job_id FROM imports ORDER BY registered_at DESC OFFSET 1000 LIMIT 1) AS "jobId",
      (SELECT left(job_id, 8) FROM imports ORDER BY registered_at LIMIT 1) AS "oldMonth",
      (SELECT left(job_id, 6) FROM imports ORDER BY registered_at LIMIT 1) AS "oldYear",
      (SELECT id FROM webhook_endpoints ORDER BY id LIMIT 1) AS endpoint,
      (SELECT id FROM deliveries ORDER BY id DESC LIMIT 1) AS delivery,
      (SELECT c.name FROM connections c WHERE deleted_at IS NULL ORDER BY name LIMIT 1) AS connection,
      (SELECT min(registered_at) + (max(registered_at) - min(registered_at)) / 2 FROM imports)::text AS middle`)
  const row: Record<string, string | undefined> = rows[0] ?? {}
  const { withLines, jobId, oldMonth, oldYear, endpoint, delivery, connection, middle = '' } = row
  const half = new Date(middle).toISOString()
  const dayAfter = new Date(Date.parse(half) + 86_400_000).toISOString()
  const list = (name: string, query: Record<string, string | undefined>): Asked => {
    const given = new URLSearchParams(pairsOf(query))
    given.sort()
    return { name: `/imports: ${name}`, path: `/imports?${given}` }
  }
  const deliveries = (name: string, query: Record<string, string | undefined>): Asked => ({
    name: `/v1/deliveries: ${name}`,
    path: `/v1/deliveries?${new URLSearchParams(pairsOf(query))}`,
  })
  return [
    { name: '/', path: '/' },
    { name: '/imports', path: '/imports' },
    list('oldest', { order: 'oldest' }),
    list('a state', { state: 'failed' }),
    list('the rarest state', { state: 'running' }),
    list('several states', { state: 'failed,lost,running' }),
    list('a connection', { connection }),
    list('a provider', { provider: 'cdq' }),
    list('attention', { attention: 'stalled' }),
    list('a job id', { jobId }),
    list('a job id’s beginning, of nearly all', { jobIdPrefix: 'job-' }),
    list('… of the oldest month', { jobIdPrefix: oldMonth }),
    list('… of the oldest year', { jobIdPrefix: oldYear }),
    list('… of none', { jobIdPrefix: 'none-such' }),
    list('metadata of a seventh', { 'metadata.team': 'team 3' }),
    list('metadata of one', { 'metadata.run': '4711' }),
    list('two of metadata', { 'metadata.team': 'team 3', 'metadata.source': 'source-17' }),
    list('registered after the middle', { registeredAfter: half }),
    list('registered before the middle, oldest', { registeredBefore: half, order: 'oldest' }),
    list('ended after the middle', { finishedAfter: half }),
    list('ended after the middle, oldest', { finishedAfter: half, order: 'oldest' }),
    list('ended before the middle', { finishedBefore: half }),
    list('ended before the middle, oldest', { finishedBefore: half, order: 'oldest' }),
    list('a bar of a day', { finishedAfter: half, finishedBefore: dayAfter, state: 'failed' }),
    list('a bar of a connection’s day', { connection, finishedAfter: half, finishedBefore: dayAfter, state: 'failed' }),
    { name: '/imports/{id}, with skipped lines', path: `/imports/${withLines}` },
    { name: '/imports/{id}, 10,000 reports', path: `/imports/${longImport}`, targetMs: 300 },
    { name: '/connections', path: '/connections' },
    { name: '/connections/{name}', path: `/connections/${connection}` },
    { name: '/webhooks', path: '/webhooks' },
    { name: '/webhooks/{id}', path: `/webhooks/${endpoint}` },
    { name: '/webhooks/{id}, exhausted', path: `/webhooks/${endpoint}?state=exhausted` },
    { name: '/deliveries/{id}', path: `/deliveries/${delivery}` },
    deliveries('a state', { state: 'exhausted' }),
    deliveries('a type', { type: 'import.failed' }),
    deliveries('a class of status', { status: '5xx' }),
    deliveries('an endpoint', { endpointId: endpoint }),
    deliveries('a time', { createdBefore: new Date(Date.now() - 15 * 86_400_000).toISOString() }),
  ]
}

function pairsOf(query: Record<string, string | undefined>): [string, string][] {
  return Object.entries(query).map(([key, value = '']) => [key, value])
}
