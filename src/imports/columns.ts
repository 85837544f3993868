// Owns an import as a whole: its row and, while it is live, its row in `polling`.
import { eq, getTableColumns, sql } from 'drizzle-orm'
import type { AnyPgColumn } from 'drizzle-orm/pg-core'
import { everyImport } from '../baselines/kind.ts'
import type { Database, Transaction } from '../db/client.ts'
import { baselines, connections, imports, installation, polling } from '../db/schema/index.ts'

const { polls, firstPolledAt, lastPolledAt, ...others } = getTableColumns(imports)

const columns = {
  ...others,
  polls: sql<number>`coalesce(${polling.polls}, ${polls})`,
  firstPolledAt: sql<Date | null>`coalesce(${polling.firstPolledAt}, ${firstPolledAt})`.mapWith(firstPolledAt),
  lastPolledAt: sql<Date | null>`coalesce(${polling.lastPolledAt}, ${lastPolledAt})`.mapWith(lastPolledAt),
  /** When the next poll is due. Null: the import is over. */
  nextPollAt: polling.dueAt,
  /** When the import is likely to end, as the last poll foresaw it. */
  etaAt: foreseen(polling.etaMs),
  etaEarliest: foreseen(polling.etaEarliestMs),
  etaLatest: foreseen(polling.etaLatestMs),
  /** The median duration of the connection's imports. */
  usualDurationMs: sql<number | null>`(
    SELECT ${baselines.medianMs} FROM ${baselines}
    WHERE ${baselines.connectionId} = ${imports.connectionId} AND ${baselines.kind} = ${everyImport})`.mapWith(Number),
  /** Where people reach the service. Null: nobody said. */
  publicUrl: sql<string | null>`(SELECT ${installation.publicUrl} FROM ${installation})`,
}

export type ImportRow = typeof imports.$inferSelect & {
  nextPollAt: Date | null
  etaAt: Date | null
  etaEarliest: Date | null
  etaLatest: Date | null
  usualDurationMs: number | null
  publicUrl: string | null
}

/** Returns SQL for the moment that was so many milliseconds away at the last poll, or before it at the registration. */
function foreseen(ms: AnyPgColumn) {
  const from = sql`coalesce(${polling.lastPolledAt}, ${imports.registeredAt})`
  return sql<Date | null>`${from} + ${ms} * interval '1 millisecond'`.mapWith(polling.dueAt)
}

/** An import's connection as the API shows it. */
export interface ConnectionOfImport {
  id: string
  name: string
  provider: string
  /** Keys of the metadata that tell kinds of imports apart. */
  baselineBy: string[]
}

/** Selects imports with their connections. The caller narrows the query. */
export function selectImports(db: Database | Transaction) {
  return db
    .select({
      row: columns,
      connection: {
        id: connections.id,
        name: connections.name,
        provider: connections.provider,
        baselineBy: connections.baselineBy,
      },
    })
    .from(imports)
    .innerJoin(connections, eq(connections.id, imports.connectionId))
    .leftJoin(polling, eq(polling.importId, imports.id))
    .$dynamic()
}
