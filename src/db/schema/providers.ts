// Owns the table of uploaded documents of providers.
import { integer, json, pgTable, primaryKey, text } from 'drizzle-orm/pg-core'
import { time } from './columns.ts'

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
