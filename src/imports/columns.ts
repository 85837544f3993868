// Owns an import as a whole: its row and, while it is live, its row in `polling`.
import { eq, getTableColumns, sql } from 'drizzle-orm'
import type { Database, Transaction } from '../db/client.ts'
import { connections, imports, installation, polling } from '../db/schema/index.ts'

const { polls, firstPolledAt, lastPolledAt, ...others } = getTableColumns(imports)

const columns = {
  ...others,
  polls: sql<number>`coalesce(${polling.polls}, ${polls})`,
  firstPolledAt: sql<Date | null>`coalesce(${polling.firstPolledAt}, ${firstPolledAt})`.mapWith(firstPolledAt),
  lastPolledAt: sql<Date | null>`coalesce(${polling.lastPolledAt}, ${lastPolledAt})`.mapWith(lastPolledAt),
  /** When the next poll is due. Null: the import is over. */
  nextPollAt: polling.dueAt,
  /** Where people reach the service. Null: nobody said. */
  publicUrl: sql<string | null>`(SELECT ${installation.publicUrl} FROM ${installation})`,
}

export type ImportRow = typeof imports.$inferSelect & { nextPollAt: Date | null; publicUrl: string | null }

/** An import's connection as the API shows it. */
export interface ConnectionOfImport {
  id: string
  name: string
  provider: string
}

/** Selects imports with their connections. The caller narrows the query. */
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
