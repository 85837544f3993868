// Owns what a database knows of itself: which installation it belongs to, and which versions may run on it.
import { sql } from 'drizzle-orm'
import { boolean, check, integer, pgTable, uuid } from 'drizzle-orm/pg-core'

/** One row, made by its migration. */
export const installation = pgTable(
  'installation',
  {
    /** Made once a database; it keeps installations apart that share a Redis. */
    id: uuid('id').notNull().defaultRandom(),
    /**
     * The number of the newest migration that every version on this database must know. A migration that older versions
     * can't live with sets it to its own number; the others leave it.
     */
    neededMigration: integer('needed_migration').notNull().default(0),
    /** True: there can be one row alone. */
    isOnly: boolean('is_only').primaryKey().default(true),
  },
  (table) => [check('installation_is_one', sql`${table.isOnly}`)],
)
