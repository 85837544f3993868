// Owns the identity of a database, and which versions may run on it.
import { sql } from 'drizzle-orm'
import { boolean, check, integer, pgTable, text, uuid } from 'drizzle-orm/pg-core'

/** One row, inserted by a migration. */
export const installation = pgTable(
  'installation',
  {
    /** Made once for each database. It keeps apart installations that share a Redis. */
    id: uuid('id').notNull().defaultRandom(),
    /**
     * The number of the newest migration that every version on this database must know. A migration that older versions
     * can't live with sets it to its own number.
     */
    neededMigration: integer('needed_migration').notNull().default(0),
    /** PUBLIC_URL, as the process that started last and serves the API was told. Null: it was told none. */
    publicUrl: text('public_url'),
    /** Always true, so that there can be only one row. */
    isOnly: boolean('is_only').primaryKey().default(true),
  },
  (table) => [check('installation_is_one', sql`${table.isOnly}`)],
)
