// Owns what is stored of API tokens: never the token, only its hash.
import { pgTable, text, uniqueIndex } from 'drizzle-orm/pg-core'
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
