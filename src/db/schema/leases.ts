// Owns what is stored of who works on what: an owner of due work is served by one worker at a time, under a lease.
import { integer, pgTable, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core'
import { id, time } from './columns.ts'

export const leases = pgTable(
  'leases',
  {
    /** A worker that takes over from another one holds a lease of another id. */
    id: id(),
    /** Of the work: `poll` or `collect`. */
    kind: text('kind').notNull(),
    /** Whose work it is: a connection. */
    ownerId: uuid('owner_id').notNull(),
    /** How many requests may be under way. */
    size: integer('size').notNull().default(0),
    /** After it the owner may be served by another worker. */
    until: time('until').notNull(),
  },
  (table) => [uniqueIndex('leases_owner').on(table.kind, table.ownerId)],
)
