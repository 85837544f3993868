// Owns the table of baselines: how long a connection's imports took. The rows outlive the imports that they were learnt
// from.
import { doublePrecision, integer, jsonb, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core'
import { count, time } from './columns.ts'
import { connections } from './connections.ts'

/** What imports that have ended were like (baselines/history.ts). */
export interface StoredHistory {
  /** How many there were. */
  ended: number
  /** The last ones: when each ended (epoch ms), and how far apart the calls were between which it ended. */
  recent: readonly (readonly [endedAt: number, durationMs: number, uncertainMs: number])[]
  /** Log-likelihood of what each model of the duration foretold, old ones forgotten. */
  scores: readonly number[]
  /** The same for ends on the clock, above ends at any time. */
  clockScores: readonly number[]
  /** For each part of the way: of the logarithm of remaining over foretold time, its weight, sum and sum of squares. */
  progressErrors: readonly (readonly [weight: number, sum: number, squares: number])[]
  /** How much better progress foretold the end than the duration did, in nats an import. */
  progressScore: number
}

export const baselines = pgTable(
  'baselines',
  {
    connectionId: uuid('connection_id')
      .notNull()
      .references(() => connections.id),
    /** Empty: all imports of the connection. Otherwise those alike in the metadata that `baselineBy` names. */
    kind: text('kind').notNull(),
    /**
     * How many imports of the connection had been learnt from when the row was written. A reader that knows the rows up to
     * some revision reads those with a greater one.
     */
    revision: integer('revision').notNull(),
    /** The median duration of the last ones, and the spread of their logarithms (1.4826 · MAD). */
    medianMs: count('median_ms').notNull(),
    spread: doublePrecision('spread').notNull(),
    learntAt: time('learnt_at').notNull(),
    history: jsonb('history').$type<StoredHistory>().notNull(),
  },
  (table) => [primaryKey({ columns: [table.connectionId, table.kind] })],
)
