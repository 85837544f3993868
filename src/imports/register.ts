// Owns registering imports: idempotent by (connection, job id), one or many in one transaction.
import { and, inArray, isNull, sql } from 'drizzle-orm'
import { AppError, invalid } from '../api/refusal.ts'
import { after, type Clock } from '../base/clock.ts'
import { newId, phase } from '../base/ids.ts'
import { everyImport, kindOf, leastOfKind } from '../baselines/kind.ts'
import { scarceOf } from '../budget/shares.ts'
import { findPinned } from '../catalog/documents.ts'
import type { Database, Transaction } from '../db/client.ts'
import { connections, imports, type StoredPollError } from '../db/schema/index.ts'
import { liveStates } from '../model/import-state.ts'
import { effectiveLimits } from '../model/limits.ts'
import type { Provider, StatusAnswer } from '../providers/contract.ts'
import { defaultsOf, isKnown, pinnedFacts } from '../providers/facts.ts'
import { jobIdProblem } from '../providers/job-id.ts'
import { markDays } from '../reporting/daily-outcomes.ts'
import { readInlineResult, recordInlineResult } from './inline-result.ts'
import { writeImportEvents } from './transition.ts'

export interface Registration {
  /** A connection's name. */
  connection: string
  /** Null or absent: the provider answered at once, and `result` holds that answer. */
  jobId?: string | null | undefined
  metadata?: Record<string, unknown> | undefined
  /** Absent: the connection's. */
  deadlineMs?: number | undefined
  /** The provider's answer, if it came inline. It is recorded as a poll's would be. */
  result?: unknown
}

export interface Registered {
  importId: string
  /** False: the import had been registered before, and stays unchanged. */
  created: boolean
}

interface Deps {
  db: Database
  clock: Clock
}

/** @throws {AppError} `invalid_request` naming the field. */
export async function registerImport(deps: Deps, registration: Registration): Promise<Registered> {
  const [outcome] = await registerImports(deps, [registration])
  if (outcome instanceof AppError || outcome === undefined) throw outcome
  return outcome
}

/** Registers each valid import; a refused one holds up no other. Returns the results in the given order. */
export function registerImports(
  { db, clock }: Deps,
  batch: readonly Registration[],
): Promise<(Registered | AppError)[]> {
  const now = clock.now()
  return db.transaction(async (tx) => {
    const found = await findConnections(tx, batch)
    const providers = await findProviders(tx, batch, found)
    const given = { found, providers, now, isBatch: batch.length > 1 }
    const prepared = batch.map((registration) => prepare(registration, given))
    const rows = prepared.filter((item): item is Prepared => !(item instanceof AppError))
    const created = await insertNew(tx, rows, now)
    for (const { row, hasJob, connection, inline } of rows)
      if (inline && created.has(row.id)) await recordInlineResult(tx, { row, hasJob, connection, ...inline }, now)
    await tellScarcity(tx, rows, created, now)
    const existing = await findExisting(
      tx,
      rows.filter(({ row }) => !created.has(row.id)),
    )
    return prepared.map((item) => {
      if (item instanceof AppError) return item
      if (created.has(item.row.id)) return { importId: item.row.id, created: true }
      return { importId: existing.get(keyOf(item.row)) ?? '', created: false }
    })
  })
}

type ConnectionRow = typeof connections.$inferSelect
type NewImport = ReturnType<typeof newImport>

interface Prepared {
  row: NewImport
  /** False: the provider answered at once, and named no job. */
  hasJob: boolean
  connection: ConnectionRow
  /** The inline answer. Null: there is none. */
  inline: { provider: Provider; answer: StatusAnswer } | null
}

/** Locks the connections against deletion until the imports exist. */
async function findConnections(tx: Transaction, batch: readonly Registration[]): Promise<Map<string, ConnectionRow>> {
  const names = [...new Set(batch.map(({ connection }) => connection))]
  const rows = await tx
    .select()
    .from(connections)
    .where(and(inArray(connections.name, names), isNull(connections.deletedAt)))
    .for('key share')
  return new Map(rows.map((row) => [row.name, row]))
}

/** The providers of connections for which an answer came inline, by the connection's name. */
async function findProviders(
  tx: Transaction,
  batch: readonly Registration[],
  found: ReadonlyMap<string, ConnectionRow>,
): Promise<Map<string, Provider>> {
  const names = new Set(batch.flatMap(({ connection, result }) => (result === undefined ? [] : connection)))
  const providers = new Map<string, Provider>()
  for (const name of names) {
    const connection = found.get(name)
    const pinned = connection && (await findPinned(tx, connection))
    if (pinned) providers.set(name, pinned.provider)
  }
  return providers
}

interface Given {
  found: ReadonlyMap<string, ConnectionRow>
  providers: ReadonlyMap<string, Provider>
  now: Date
  isBatch: boolean
}

function prepare(registration: Registration, { found, providers, now, isBatch }: Given): Prepared | AppError {
  const { jobId, result } = registration
  const connection = found.get(registration.connection)
  if (!connection) return invalid('connection', `must name a connection; there is no "${registration.connection}".`)
  if (jobId == null && result === undefined) return invalid('jobId', 'must be given, unless `result` is.')
  if (!isKnown(connection)) return invalid('connection', `has a provider that this version doesn’t know.`)
  const problem = jobId == null ? null : jobIdProblem(jobId, jobIdRules(connection))
  if (problem !== null) return invalid('jobId', problem)
  const row = newImport(registration, connection, now, isBatch)
  const prepared = { row, hasJob: jobId != null, connection }
  if (result === undefined) return { ...prepared, inline: null }
  const provider = providers.get(connection.name)
  if (!provider) return invalid('connection', `has a provider that this version doesn’t know.`)
  const answer = readInlineResult(connection, provider, { jobId, result })
  return answer instanceof AppError ? answer : { ...prepared, inline: { provider, answer } }
}

function jobIdRules(connection: ConnectionRow) {
  const { jobId, baseUrl } = pinnedFacts(connection)
  return { jobId: jobId ?? undefined, baseUrl: connection.baseUrl ?? baseUrl ?? undefined }
}

/**
 * Returns an error that tells why an import registered on a paused connection makes no progress. Returns null if the
 * connection isn't paused.
 */
function pauseTold({ name, pausedAt, pauseReason }: ConnectionRow, now: Date): StoredPollError | null {
  if (pausedAt === null) return null
  const what = pauseReason === 'forbidden' ? 'several imports of it' : 'its credentials'
  const message = `The connection ${name} is paused since ${pausedAt.toISOString()}: the provider refuses ${what}.`
  return { code: pauseReason ?? 'unauthorized', message, at: now.toISOString() }
}

function newImport(registration: Registration, connection: ConnectionRow, now: Date, isBatch: boolean) {
  const id = newId()
  const limits = effectiveLimits(defaultsOf(connection), connection.limits)
  const deadlineMs = registration.deadlineMs ?? limits.deadlineMs
  return {
    id,
    connectionId: connection.id,
    jobId: registration.jobId ?? inlineJobId(id),
    state: 'pending',
    registeredAt: now,
    deadlineMs,
    deadlineAt: after(now, deadlineMs),
    // The first polls of a batch are spread, so that they don't fire at once.
    dueAt: after(now, isBatch ? phase(id) * limits.minIntervalMs : 0),
    lastError: pauseTold(connection, now),
    metadata: registration.metadata ?? {},
    kind: kindOf(connection.baselineBy, registration.metadata ?? {}),
  }
}

/** Returns the job id of an import whose answer came inline, before any job existed. */
export function inlineJobId(importId: string): string {
  return `inline-${importId}`
}

/** One in ten of a normal distribution is beyond so many sigmas. */
const oneInTen = 1.2816

/** Inserts new imports and returns their ids. Of duplicates in one batch, the first one counts. */
async function insertNew(tx: Transaction, rows: readonly Prepared[], now: Date): Promise<Set<string>> {
  if (rows.length === 0) return new Set()
  const given = JSON.stringify(rows.map(({ row }) => row))
  const { rows: created } = await tx.execute<{ id: string; connectionId: string }>(sql`
    /* import.register */
    WITH given AS MATERIALIZED (
      SELECT * FROM json_to_recordset(${given}::json) AS given (
        "id" uuid, "connectionId" uuid, "jobId" text, "state" text, "registeredAt" timestamptz, "deadlineMs" bigint,
        "deadlineAt" timestamptz, "dueAt" timestamptz, "lastError" jsonb, "metadata" jsonb, "kind" text)
    ), created AS (
      INSERT INTO imports (id, connection_id, job_id, state, registered_at, deadline_ms, deadline_at, last_error, metadata)
      SELECT "id", "connectionId", "jobId", "state", "registeredAt", "deadlineMs", "deadlineAt", "lastError", "metadata"
      FROM given
      -- All batches insert in one order. Otherwise batches of the same jobs could wait for each other in a circle.
      ORDER BY "connectionId", "jobId", "id"
      ON CONFLICT DO NOTHING
      RETURNING id, connection_id
    ), started AS (
      INSERT INTO polling (import_id, connection_id, due_at, polls, eta_ms, eta_earliest_ms, eta_latest_ms)
      SELECT created.id, connection_id, "dueAt", 0,
        usual.median_ms, usual.median_ms * exp(${-oneInTen}::float8 * usual.sigma), usual.median_ms * exp(${oneInTen}::float8 * usual.sigma)
      FROM created JOIN given ON given."id" = created.id
      -- Of an import that nobody has asked about, the first poll foresees it better.
      LEFT JOIN LATERAL (
        SELECT least(median_ms, 1e8) AS median_ms, least(sqrt((3 * 0.3 ^ 2 + n * spread ^ 2) / (3 + n) * (1 + 1 / (n + 1))), 2) AS sigma
        FROM baselines b CROSS JOIN LATERAL (SELECT (b.history ->> 'ended')::float8) ended (n)
        WHERE b.connection_id = created.connection_id AND (b.kind = ${everyImport} OR b.kind = given."kind" AND n >= ${leastOfKind})
        ORDER BY b.kind = ${everyImport} LIMIT 1
      ) usual ON true
    )
    SELECT id, connection_id AS "connectionId" FROM created`)
  await markDays(
    tx,
    created.map(({ connectionId }) => connectionId),
    [now],
  )
  return new Set(created.map(({ id }) => id))
}

/** Shows `budget` as the attention of new imports whose connection's day or month can't carry them to their ends. */
async function tellScarcity(
  tx: Transaction,
  rows: readonly Prepared[],
  created: ReadonlySet<string>,
  now: Date,
): Promise<void> {
  const isNew = rows.filter(({ row }) => created.has(row.id))
  const touched = new Map(isNew.map(({ connection }) => [connection.id, connection]))
  const scarce = await scarceOf(tx, [...touched.values()], now)
  if (scarce.size === 0) return
  const ids = isNew.filter(({ connection }) => scarce.has(connection.id)).map(({ row }) => row.id)
  const told = await tx
    .update(imports)
    .set({ attention: 'budget' })
    .where(and(inArray(imports.id, ids), inArray(imports.state, liveStates), isNull(imports.attention)))
    .returning({ id: imports.id })
  await writeImportEvents(
    tx,
    told.map(({ id }) => ({ importId: id, types: ['import.attention'], at: now })),
  )
}

async function findExisting(tx: Transaction, rows: readonly Prepared[]): Promise<Map<string, string>> {
  if (rows.length === 0) return new Map()
  const connectionIds = sql.param(rows.map(({ row }) => row.connectionId))
  const jobIds = sql.param(rows.map(({ row }) => row.jobId))
  const found = await tx
    .select({ id: imports.id, connectionId: imports.connectionId, jobId: imports.jobId })
    .from(imports)
    .where(
      sql`(${imports.connectionId}, ${imports.jobId}) IN (SELECT * FROM unnest(${connectionIds}::uuid[], ${jobIds}::text[]))`,
    )
  return new Map(found.map((row) => [keyOf(row), row.id]))
}

function keyOf({ connectionId, jobId }: Pick<NewImport, 'connectionId' | 'jobId'>): string {
  return `${connectionId} ${jobId}`
}
