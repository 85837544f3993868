// Owns what is stored of an account at a provider.
import { sql } from 'drizzle-orm'
import { integer, jsonb, pgTable, text, uniqueIndex } from 'drizzle-orm/pg-core'
import type { StoredLimits } from '../../model/limits.ts'
import { id, time } from './columns.ts'

export const connections = pgTable(
  'connections',
  {
    id: id(),
    name: text('name').notNull(),
    provider: text('provider').notNull(),
    /** Null: the provider's default. */
    baseUrl: text('base_url'),
    /** JSON, encrypted for the context `connection:<id>`. Empty once the connection is deleted. */
    credentials: text('credentials').notNull(),
    settings: jsonb('settings').$type<Record<string, unknown>>().notNull(),
    limits: jsonb('limits').$type<StoredLimits>().notNull(),
    /** JSON Pointers of what makes no change in a body, besides the provider's own. */
    volatileFields: jsonb('volatile_fields').$type<string[]>().notNull().default([]),
    createdAt: time('created_at').notNull(),
    updatedAt: time('updated_at').notNull(),
    deletedAt: time('deleted_at'),
    /** Since when the provider refuses the credentials, or all that is asked. Every import of it waits. */
    pausedAt: time('paused_at'),
    /** unauthorized | forbidden; null while it isn't paused. */
    pauseReason: text('pause_reason'),
    /** While paused: when one import may ask again, to see whether the credentials work by now. */
    nextProbeAt: time('next_probe_at'),
    /** The first refusal (401, 403) since a call was last answered. */
    refusedSince: time('refused_since'),
    /** Nothing is asked before this, because the provider said so: 429, or 503 with `Retry-After`. */
    blockedUntil: time('blocked_until'),
    /** After a wait, in which much has come due, imports are let go one by one between these moments. */
    spreadFrom: time('spread_from'),
    spreadUntil: time('spread_until'),
    /** The budget of requests a second: when the next request may go out (GCRA's theoretical arrival time). */
    nextRequestAt: time('next_request_at'),
    /** The budget of requests a month: the UTC month being counted (`2026-11`), and the requests made in it. */
    budgetMonth: text('budget_month'),
    monthRequests: integer('month_requests').notNull().default(0),
  },
  (table) => [uniqueIndex('connections_name').on(table.name).where(sql`${table.deletedAt} is null`)],
)
