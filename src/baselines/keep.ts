// Owns keeping the baselines up: what has been learnt from imports is written in the transaction that records their ends.
// One worker at a time serves a connection, so no other worker writes its rows at the same time.
import { sql } from 'drizzle-orm'
import type { Transaction } from '../db/client.ts'
import { unnest } from '../db/unnest.ts'
import type { Baseline } from './baseline.ts'
import { median, spreadOf } from './durations.ts'
import { type Finished, type History, learn, noHistory } from './history.ts'
import { everyImport } from './kind.ts'

/** An import that ended, and what was known when it was last asked about. */
export interface Ended extends Finished {
  connectionId: string
  kind: string
  /** The baseline of its kind, and that of the connection. */
  baseline: Baseline
  connectionBaseline: Baseline
}

/** How many kinds are kept for a connection: those that ended last. */
const mostKinds = 100

/** Learns from imports that have ended. */
export async function learnFrom(tx: Transaction, ended: readonly Ended[], now: Date): Promise<void> {
  if (ended.length === 0) return
  const known = await readHistories(tx, ended)
  const changed = new Map<string, Row>()
  let isNewKind = false
  for (const one of ended) {
    const { connectionId, kind } = one
    const own = keyOf(connectionId, everyImport)
    const whole = learn(changed.get(own)?.history ?? known.get(own) ?? noHistory, one.connectionBaseline, one)
    const revision = whole.ended
    if (whole.recent.length === 0) continue
    changed.set(own, { connectionId, kind: everyImport, revision, history: whole })
    if (kind === everyImport) continue
    const alike = keyOf(connectionId, kind)
    isNewKind ||= !known.has(alike)
    const history = learn(changed.get(alike)?.history ?? known.get(alike) ?? noHistory, one.baseline, one)
    if (history.recent.length > 0) changed.set(alike, { connectionId, kind, revision, history })
  }
  await writeHistories(tx, [...changed.values()], now)
  if (isNewKind) await forgetKinds(tx, new Set(ended.map(({ connectionId }) => connectionId)))
}

interface Row {
  connectionId: string
  kind: string
  revision: number
  history: History
}

function keyOf(connectionId: string, kind: string): string {
  return `${connectionId} ${kind}`
}

async function readHistories(tx: Transaction, ended: readonly Ended[]): Promise<Map<string, History>> {
  const wanted = new Map<string, { ofConnection: string; ofKind: string }>()
  for (const { connectionId, kind } of ended)
    for (const ofKind of [everyImport, kind])
      wanted.set(keyOf(connectionId, ofKind), { ofConnection: connectionId, ofKind })
  const { rows } = await tx.execute<{ connectionId: string; kind: string; history: History }>(sql`
    /* baseline.read */
    SELECT connection_id AS "connectionId", kind, history
    FROM ${unnest('wanted', [...wanted.values()], { ofConnection: 'uuid', ofKind: 'text' })}
    JOIN baselines ON connection_id = of_connection AND kind = of_kind`)
  return new Map(rows.map(({ connectionId, kind, history }) => [keyOf(connectionId, kind), history]))
}

async function writeHistories(tx: Transaction, rows: readonly Row[], now: Date): Promise<void> {
  if (rows.length === 0) return
  const written = rows.map(({ history, ...row }) => {
    const logs = history.recent.map(([, durationMs]) => Math.log(durationMs))
    return {
      ...row,
      history: JSON.stringify(history),
      medianMs: Math.round(Math.exp(median(logs))),
      spread: spreadOf(logs),
      learntAt: now,
    }
  })
  const types = {
    connectionId: 'uuid',
    kind: 'text',
    revision: 'int',
    medianMs: 'bigint',
    spread: 'float8',
    learntAt: 'timestamptz',
    history: 'jsonb',
  }
  await tx.execute(sql`
    /* baseline.write */
    INSERT INTO baselines (connection_id, kind, revision, median_ms, spread, learnt_at, history)
    SELECT * FROM ${unnest('written', written, types)}
    ON CONFLICT (connection_id, kind) DO UPDATE SET
      revision = excluded.revision, median_ms = excluded.median_ms, spread = excluded.spread,
      learnt_at = excluded.learnt_at, history = excluded.history`)
}

async function forgetKinds(tx: Transaction, connectionIds: ReadonlySet<string>): Promise<void> {
  await tx.execute(sql`
    /* baseline.forget_kinds */
    DELETE FROM baselines USING (
      SELECT connection_id, kind, row_number() OVER (PARTITION BY connection_id ORDER BY revision DESC, kind) AS number
      FROM baselines WHERE connection_id = ANY(${sql.param([...connectionIds])}::uuid[]) AND kind <> ${everyImport}
    ) old
    WHERE baselines.connection_id = old.connection_id AND baselines.kind = old.kind AND old.number > ${mostKinds}`)
}
