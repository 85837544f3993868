// Owns our side of the benchmarks of polls: connections, imports that are tracked, and a worker in a process of its own.
import { sql } from 'drizzle-orm'
import { systemClock } from '../src/base/clock.ts'
import { createEncryption } from '../src/base/encryption.ts'
import { putProvider } from '../src/catalog/put.ts'
import { putConnection } from '../src/connections/put.ts'
import type { Database } from '../src/db/client.ts'
import { timeOrderedId } from '../src/db/time-ordered-id.ts'
import { createGuard } from '../src/egress/guard.ts'
import { fingerprintOf } from '../src/imports/fingerprint.ts'
import { cdq } from '../src/providers/cdq.ts'
import type { Provider } from '../src/providers/contract.ts'
import { createDocumentProvider } from '../src/providers/document/provider.ts'
import { documentSchema } from '../src/providers/document/read-document.ts'
import type { Started } from './rig.ts'
import { type BenchServices, startProcess } from './services.ts'
import { answer } from './vendor-answer.ts'
import { cdqDocument } from './vendor-document.ts'

export const key = Buffer.alloc(32, 1)

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
  /** What polls are read by: CDQ's file, or a document that says the same. Absent: the file. */
  provider?: 'file' | 'document'
}

/** Our worker, with imports that are tracked at the vendor on this port. */
export async function startOurs(services: BenchServices, port: number, tracked: Tracked): Promise<Started> {
  await track(services.database.db, port, tracked)
  return startWorker(services, tracked.store)
}

/** One more worker. */
export function startWorker(services: BenchServices, store: Tracked['store']): Promise<Started> {
  return startProcess('./tracker.ts', environmentOf(services, store))
}

export function environmentOf({ databaseUrl, redisUrl }: BenchServices, store: Tracked['store']) {
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
  const perSecond = Math.min(10_000, Math.ceil((2_000 * imports) / connections / everyMs))
  const provider = tracked.provider === 'document' ? await uploadDocument(db) : (cdq as Provider)
  const limits = { connections, everyMs, perSecond: tracked.metered ? perSecond : null }
  await connect(db, port, { ...limits, provider: provider.name })
  const fingerprint = fingerprintOf(provider.readStatus(answer).report, provider)
  const due = Math.ceil(imports * dueShare)
  for (let from = 1; from <= imports; from += portion) {
    const to = Math.min(imports, from + portion - 1)
    await fill(db, { from, to, due, connections, everyMs, fingerprint })
  }
  await db.execute(sql`ANALYZE`)
}

async function uploadDocument(db: Database): Promise<Provider> {
  const guard = createGuard({ allowedCidrs: ['127.0.0.0/8'] })
  await putProvider(
    { db, clock: systemClock, guard, by: { tokenId: null, name: 'bench', scope: 'admin' } },
    cdqDocument.name,
    cdqDocument,
  )
  return createDocumentProvider(documentSchema.parse(cdqDocument)) as Provider
}

/** How many imports one statement makes. */
const portion = 50_000

interface Filling {
  from: number
  to: number
  /** The imports up to this number are due within the run. */
  due: number
  connections: number
  everyMs: number
  fingerprint: string
}

async function fill(db: Database, { from, to, due, connections, everyMs, fingerprint }: Filling): Promise<void> {
  await db.execute(sql`
    WITH made AS (
      INSERT INTO imports (id, connection_id, job_id, state, registered_at, deadline_ms, deadline_at, snapshot_id,
        fingerprint, progress_changes, metadata)
      SELECT ${timeOrderedId(sql`now()`)}, c.id, n, 'running', now(), 864000000000, now() + interval '27 years',
        gen_random_uuid(), ${fingerprint}, '[[1780000000000, 0.77]]', '{}'
      FROM generate_series(${from}::int, ${to}::int) n
      JOIN (SELECT id, row_number() OVER (ORDER BY name) - 1 AS number FROM connections) c ON c.number = n % ${connections}
      RETURNING *
    ), polled AS (
      INSERT INTO polling (import_id, connection_id, due_at, polls, first_polled_at, last_polled_at, seen, seen_at)
      SELECT id, connection_id,
        CASE WHEN job_id::int <= ${due}::int THEN now() + random() * ${everyMs}::int * interval '1 ms'
          ELSE now() + interval '1 year' END,
        1, now(), now(), 1, now()
      FROM made
    )
    INSERT INTO snapshots (id, import_id, state, provider_status, rows, body, first_seen_at, last_seen_at, polls)
    SELECT snapshot_id, id, state, 'RUNNING', '{}', ${JSON.stringify(answer)}, now(), now(), 1 FROM made`)
}

/** Connections to the vendor: bench-0, bench-1, … */
export async function connect(
  db: Database,
  port: number,
  {
    connections,
    everyMs,
    perSecond,
    provider = 'cdq',
  }: { connections: number; everyMs: number; perSecond: number | null; provider?: string },
): Promise<void> {
  const deps = {
    db,
    clock: systemClock,
    encryption: createEncryption([key]),
    by: { tokenId: null, name: 'bench', scope: 'admin' },
    guard: createGuard({ allowedCidrs: ['127.0.0.0/8'] }),
  }
  for (let number = 0; number < connections; number++)
    await putConnection(deps, `bench-${number}`, {
      provider,
      baseUrl: `http://127.0.0.1:${port}`,
      credentials: { apiKey: 'key' },
      settings: {},
      limits: {
        maxInFlight: 1_000,
        minIntervalMs: everyMs,
        maxIntervalMs: everyMs,
        ...(perSecond !== null && { requestsPerSecond: perSecond }),
      },
    })
}
