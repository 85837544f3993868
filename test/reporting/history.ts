// Owns what the tests of partitions share: rows of every table at any moment, as if they had been written then.
import { v7 } from 'uuid'
import { type HistoryTable, historyTables } from '../../src/config/config.ts'
import { monthOf } from '../../src/history/months.ts'
import { type Partition, storedPartitions } from '../../src/history/partitions.ts'
import type { TestDatabase } from '../support/database.ts'

export interface OldImport {
  importId: string
  eventId: string
  deliveryId: string
}

/** An id of that moment. */
export function idAt(moment: Date): string {
  return v7({ msecs: moment.getTime() })
}

/** A finished import with a row in each of the tables, all of them of that moment. */
export async function anOldImport(
  { pool }: TestDatabase,
  moment: Date,
  columns: { nextCollectAt?: Date; state?: string; deliveryState?: string } = {},
): Promise<OldImport> {
  const [importId, connectionId, eventId, deliveryId, endpointId, snapshotId] = Array.from({ length: 6 }, () =>
    idAt(moment),
  ) as [string, string, string, string, string, string]
  const { state = 'lost', deliveryState = 'delivered', nextCollectAt = null } = columns
  const statements: [string, unknown[]][] = [
    [
      `INSERT INTO connections (id, name, provider, credentials, settings, limits, created_at, updated_at)
       VALUES ($1::uuid, $1::text, 'cdq', '', '{}', '{}', $2, $2)`,
      [connectionId, moment],
    ],
    [
      `INSERT INTO imports (id, connection_id, job_id, state, registered_at, deadline_ms, deadline_at, polls, snapshot_id,
         fingerprint, finished_at, next_collect_at, skipped_lines, row_results, metadata)
       VALUES ($1, $2, 'job', $3::text, $4, 1000, $4, 1, $5, 'seen', CASE WHEN $3::text <> 'running' THEN $4::timestamptz END, $6, 1, 1, '{}')`,
      [importId, connectionId, state, moment, snapshotId, nextCollectAt],
    ],
    [
      `INSERT INTO snapshots (id, import_id, state, rows, body, first_seen_at, last_seen_at, polls)
       VALUES ($1, $2, 'running', '{}', '{"old": true}', $3, $3, 1)`,
      [snapshotId, importId, moment],
    ],
    [`INSERT INTO skipped_lines VALUES ($1, 0, 0, 7, 2)`, [importId]],
    [`INSERT INTO row_results (import_id, row, page, record_id) VALUES ($1, 0, 0, 'r')`, [importId]],
    [
      `INSERT INTO events (id, type, import_id, connection_id, occurred_at, body)
       VALUES ($1, 'import.lost', $2, $3, $4, '{"type": "import.lost", "timestamp": "", "data": {}}')`,
      [eventId, importId, connectionId, moment],
    ],
    [
      `INSERT INTO webhook_endpoints (id, url, types, secret, created_at, updated_at) VALUES ($1, '', '{}', '', $2, $2)`,
      [endpointId, moment],
    ],
    [
      `INSERT INTO deliveries (id, event_id, endpoint_id, state, next_attempt_at, created_at)
       VALUES ($1, $2, $3, $4::text, CASE $4::text WHEN 'pending' THEN $5::timestamptz END, $5)`,
      [deliveryId, eventId, endpointId, deliveryState, moment],
    ],
    [
      `INSERT INTO delivery_attempts (delivery_id, number, manual, started_at, outcome) VALUES ($1, 1, false, $2, 'timeout')`,
      [deliveryId, moment],
    ],
  ]
  for (const [statement, values] of statements) await pool.query(statement, values)
  return { importId, eventId, deliveryId }
}

const keys: Record<HistoryTable, keyof OldImport> = {
  snapshots: 'importId',
  skipped_lines: 'importId',
  row_results: 'importId',
  events: 'eventId',
  delivery_attempts: 'deliveryId',
}
const columns: Record<keyof OldImport, string> = { importId: 'import_id', eventId: 'id', deliveryId: 'delivery_id' }

/** Which tables still have the import's rows. */
export async function tablesWith({ pool }: TestDatabase, one: OldImport): Promise<HistoryTable[]> {
  const there: HistoryTable[] = []
  for (const table of historyTables) {
    const key = keys[table]
    const { rowCount } = await pool.query(`SELECT 1 FROM ${table} WHERE ${columns[key]} = $1`, [one[key]])
    if (rowCount === 1) there.push(table)
  }
  return there
}

/** The months of a table that are read and written, as `2026-11`. */
export async function monthsOf({ db }: TestDatabase, table: HistoryTable): Promise<string[]> {
  const stored = await storedPartitions(db)
  return stored.filter((one) => one.table === table && one.state === 'attached').map(shown)
}

export function shown({ month }: Pick<Partition, 'month'>): string {
  return month.toISOString().slice(0, 7)
}

/** From one month to another, both included, as `2026-11`. */
export function monthsBetween(from: Date, to: Date): string[] {
  const months: string[] = []
  for (let month = monthOf(from); month <= monthOf(to); month = monthOf(month, 1)) months.push(shown({ month }))
  return months
}
