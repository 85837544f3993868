// Owns the tables of uploaded documents of providers, and of the access tokens that providers give.
import { integer, json, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core'
import { time } from './columns.ts'
import { connections } from './connections.ts'

/**
 * A revision of a provider's document. Its content never changes, and rows stay after a deletion, so that a name and
 * revision mean the same document for good.
 */
export const providerDocuments = pgTable(
  'provider_documents',
  {
    name: text('name').notNull(),
    /** From 1. */
    revision: integer('revision').notNull(),
    /** As it was uploaded: `json` keeps the order of its keys. */
    document: json('document').$type<Record<string, unknown>>().notNull(),
    createdAt: time('created_at').notNull(),
    deletedAt: time('deleted_at'),
  },
  (table) => [primaryKey({ columns: [table.name, table.revision] })],
)

/** A connection's access token, for all workers. Only who holds the claim asks the provider for a new one. */
export const connectionTokens = pgTable('connection_tokens', {
  connectionId: uuid('connection_id')
    .primaryKey()
    .references(() => connections.id),
  /** JSON, encrypted for the context `token:<connection id>`. Null: the first one is being asked for. */
  sealed: text('sealed'),
  expiresAt: time('expires_at'),
  /** Who asks for a new one, and until when nobody else may. */
  claim: uuid('claim'),
  claimedUntil: time('claimed_until'),
})
