// Owns the table of leases: one worker at a time serves an owner of due work.
import { integer, pgTable, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core'
import { id, time } from './columns.ts'

export const leases = pgTable(
  'leases',
  {
    /** Identifies the lease: a worker that takes over gets a lease with another id. */
    id: id(),
    /** The kind of work: `poll`, `collect` or `deliver`. */
    kind: text('kind').notNull(),
    /** The owner of the work: a connection or an endpoint. */
    ownerId: uuid('owner_id').notNull(),
    /** How many requests may be under way, for owners that several kinds of work share. */
    size: integer('size').notNull().default(0),
    /** From then on another worker may serve the owner. */
    until: time('until').notNull(),
  },
  (table) => [uniqueIndex('leases_owner').on(table.kind, table.ownerId)],
)
