// Owns what an import is as a whole: its row, and, as long as it is live, what polls have changed of it.
import { eq, getTableColumns, sql } from 'drizzle-orm'
import type { Database, Transaction } from '../db/client.ts'
import { connections, imports, polling } from '../db/schema/index.ts'

const { polls, firstPolledAt, lastPolledAt, ...others } = getTableColumns(imports)

const columns = {
  ...others,
  polls: sql<number>`coalesce(${polling.polls}, ${polls})`,
  firstPolledAt: sql<Date | null>`coalesce(${polling.firstPolledAt}, ${firstPolledAt})`.mapWith(firstPolledAt),
  lastPolledAt: sql<Date | null>`coalesce(${polling.lastPolledAt}, ${lastPolledAt})`.mapWith(lastPolledAt),
  /** Null: the import is over. */
  nextPollAt: polling.dueAt,
}

export type ImportRow = typeof imports.$inferSelect & { nextPollAt: Date | null }

/** What is shown of an import's connection. */
export interface ConnectionOfImport {
  id: string
  name: string
  provider: string
}

/** Imports with their connections; to be narrowed by the caller. */
export function selectImports(db: Database | Transaction) {
  return db
    .select({
      row: columns,
      connection: { id: connections.id, name: connections.name, provider: connections.provider },
    })
    .from(imports)
    .innerJoin(connections, eq(connections.id, imports.connectionId))
    .leftJoin(polling, eq(polling.importId, imports.id))
    .$dynamic()
}
