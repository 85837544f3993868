// Owns the tables of API tokens (only their hashes) and of sessions that users signed out of.
import { pgTable, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core'
import { id, time } from './columns.ts'

export const apiTokens = pgTable(
  'api_tokens',
  {
    id: id(),
    name: text('name').notNull(),
    /** read | write | admin */
    scope: text('scope').notNull(),
    /** SHA-256 of the token, hex. The token is 32 random bytes, so no slow hash is needed. */
    hash: text('hash').notNull(),
    createdAt: time('created_at').notNull(),
  },
  (table) => [uniqueIndex('api_tokens_hash').on(table.hash)],
)

/** A session lives in the browser's cookie. These were ended before they expired. */
export const endedSessions = pgTable('ended_sessions', {
  id: uuid('id').primaryKey(),
  /** When the cookie expires by itself, and the row is no longer needed. */
  expiresAt: time('expires_at').notNull(),
})
