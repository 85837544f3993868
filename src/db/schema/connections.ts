// Owns the table of connections: accounts at a provider.
import { sql } from 'drizzle-orm'
import { doublePrecision, integer, jsonb, pgTable, text, uniqueIndex } from 'drizzle-orm/pg-core'
import type { StoredLimits } from '../../model/limits.ts'
import type { ProviderFacts } from '../../model/provider-facts.ts'
import { id, time } from './columns.ts'

export const connections = pgTable(
  'connections',
  {
    id: id(),
    name: text('name').notNull(),
    provider: text('provider').notNull(),
    /** The revision of its uploaded document. Null: the provider comes with the service. */
    providerRevision: integer('provider_revision'),
    /** What statements need to know of that document. Null: the provider comes with the service. */
    providerFacts: jsonb('provider_facts').$type<ProviderFacts>(),
    /** Null: the provider's default. */
    baseUrl: text('base_url'),
    /** JSON, encrypted for the context `connection:<id>`. Empty once the connection is deleted. */
    credentials: text('credentials').notNull(),
    settings: jsonb('settings').$type<Record<string, unknown>>().notNull(),
    limits: jsonb('limits').$type<StoredLimits>().notNull(),
    /** JSON Pointers of fields whose changes in a body don't count, besides the provider's own. */
    volatileFields: jsonb('volatile_fields').$type<string[]>().notNull().default([]),
    /** Keys of the metadata. Imports that differ in their values differ in how long they take. */
    baselineBy: jsonb('baseline_by').$type<string[]>().notNull().default([]),
    createdAt: time('created_at').notNull(),
    updatedAt: time('updated_at').notNull(),
    deletedAt: time('deleted_at'),
    /** Since when the provider has refused the credentials, or every call. All its imports wait. */
    pausedAt: time('paused_at'),
    /** unauthorized | forbidden; null: it isn't paused. */
    pauseReason: text('pause_reason'),
    /** While paused: when one import may poll, to see whether the credentials work again. */
    nextProbeAt: time('next_probe_at'),
    /** When the first refusal (401, 403) came since the provider last answered a call. */
    refusedSince: time('refused_since'),
    /** The provider asked for no calls before this moment: 429, or 503 with `Retry-After`. */
    blockedUntil: time('blocked_until'),
    /** After a wait, much is due at once. Imports begin one by one between these two moments. */
    spreadFrom: time('spread_from'),
    spreadUntil: time('spread_until'),
    /** The budget of a second and a minute: when the next request may go out (the theoretical arrival time of GCRA). */
    nextRequestAt: time('next_request_at'),
    /** The budget of a day: the UTC day that is counted (`2026-11-25`), and the requests made in it. */
    budgetDay: text('budget_day'),
    dayRequests: integer('day_requests').notNull().default(0),
    /** The budget of a month: the UTC month that is counted (`2026-11`), and the requests made in it. */
    budgetMonth: text('budget_month'),
    monthRequests: integer('month_requests').notNull().default(0),
    /** The requests of about the last day, those of longer ago counting less, and when they were last counted. */
    recentRequests: doublePrecision('recent_requests').notNull().default(0),
    recentAt: time('recent_at'),
    /** The day or month is used up: nothing may be asked before the next one. Null: something is left. */
    usedUpUntil: time('used_up_until'),
    /**
     * By which factor the gaps between polls are longer than wanted, because the live imports want more calls than the
     * budget leaves (budget/shares.ts), and until when that is believed. Null: it has to be worked out.
     */
    stretch: doublePrecision('stretch').notNull().default(1),
    stretchUntil: time('stretch_until'),
  },
  (table) => [uniqueIndex('connections_name').on(table.name).where(sql`${table.deletedAt} is null`)],
)
