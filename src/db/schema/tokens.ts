// Owns what is stored of API tokens (never the token, only its hash), and of sessions that were signed out.
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

/** Sessions are in the browser's cookie; these are over before their time. */
export const endedSessions = pgTable('ended_sessions', {
  id: uuid('id').primaryKey(),
  /** From then on the cookie itself is worth nothing, and neither is the row. */
  expiresAt: time('expires_at').notNull(),
})
