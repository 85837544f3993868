// Owns the tables of actions: what callers did, and which imports each of their actions touched. Rows outlive what they
// are about, so nothing refers to tokens, imports or endpoints.
import { sql } from 'drizzle-orm'
import { index, jsonb, pgTable, primaryKey, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core'
import { id, time } from './columns.ts'

export const actions = pgTable(
  'actions',
  {
    id: id(),
    at: time('at').notNull(),
    /** Null: the bootstrap token of the configuration. */
    tokenId: uuid('token_id'),
    /** The token's name and scope as they were then. */
    by: text('by').notNull(),
    scope: text('scope').notNull(),
    /** A verb of actions/verbs.ts. */
    verb: text('verb').notNull(),
    /** The id of what it was done to. Null: many imports at once. */
    subjectId: text('subject_id'),
    /** What people call it: a job id, a name, a URL without its query. Null: many imports at once. */
    subject: text('subject'),
    /** The connection's name, if it was done to a connection. */
    connection: text('connection'),
    /** The endpoint that it was done to, or that a delivery goes to. */
    endpointId: uuid('endpoint_id'),
    /** What more there is to know, without secrets: which fields changed, how many were done. */
    details: jsonb('details').$type<Record<string, unknown>>(),
    /** A digest of the form that asked for the action: the table refuses a second action of that form. Null: no form did. */
    once: uuid('once'),
  },
  (table) => [
    index('actions_by').on(table.by, table.id),
    index('actions_verb').on(table.verb, table.id),
    index('actions_connection').on(table.connection, table.id).where(sql`${table.connection} is not null`),
    uniqueIndex('actions_once').on(table.once).where(sql`${table.once} is not null`),
    index('actions_endpoint').on(table.endpointId, table.id).where(sql`${table.endpointId} is not null`),
  ],
)

/** The imports that an action touched: narrow, because one action may touch many. */
export const actionImports = pgTable(
  'action_imports',
  {
    actionId: uuid('action_id')
      .notNull()
      .references(() => actions.id, { onDelete: 'cascade' }),
    importId: uuid('import_id').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.actionId, table.importId] }),
    index('action_imports_import').on(table.importId, table.actionId),
  ],
)
