// Owns scripts: how an import at a vendor goes, in a few words or answer by answer.
import { z } from 'zod'
import { answerSchema } from './answers.ts'
import { type CallKind, faultSchema } from './faults.ts'
import { documentVendorNames } from './vendors/names.ts'

export const providerNames = ['cdq', 'micro', 'zilliant', 'fullstory'] as const
export type ProviderName = (typeof providerNames)[number]

/** All vendors: those that the service knows by files, and those that it knows by documents. */
export const vendorNames = [...providerNames, ...documentVendorNames] as const
export type VendorName = (typeof vendorNames)[number]

export const outcomes = ['succeeded', 'partial', 'failed', 'canceled', 'died', 'couldnt_start', 'archived'] as const
export type ScriptedOutcome = (typeof outcomes)[number]

const milliseconds = z.int().min(0)
const rowCount = z.int().min(0).max(10_000_000)

const stepSchema = z.strictObject({
  afterMs: milliseconds,
  status: z.string(),
  progress: z.int().optional(),
  processed: rowCount.optional(),
  succeeded: rowCount.optional(),
  failed: rowCount.optional(),
  inserted: rowCount.optional(),
  updated: rowCount.optional(),
  message: z.string().optional(),
})

/**
 * An import at a vendor. Times are milliseconds since it was added, except those of `answers`.
 *
 * - In a few words: `durationMs`, `outcome`, `rows`, `progress`.
 * - `steps` replace those words: the vendor's own statuses and counters at certain times.
 * - `answers` replace the vendor's whole answer, word for word, at certain requests or from a certain time on.
 */
export const scriptSchema = z
  .strictObject({
    provider: z.enum(vendorNames),
    /** The vendor's id of the job. Absent: generated in the vendor's form. */
    jobId: z.string().min(1).max(512).optional(),
    name: z.string().default('Sandbox import'),
    /** How long the job waits in the vendor's words for that. Not for vendors that have none. */
    queuedMs: milliseconds.default(0),
    durationMs: milliseconds.default(10_000),
    outcome: z.enum(outcomes).default('succeeded'),
    /**
     * `linear` moves by 1 %, `steps` by 10 %. `stall` stays at 60 % after 30 % of the time. `early` is at 100 % after
     * 80 % of the time. `none` says nothing before the end.
     */
    progress: z.enum(['linear', 'steps', 'stall', 'early', 'none']).default('linear'),
    rows: rowCount.default(100),
    /** Absent: a tenth of the rows for the outcome `partial`, all rows for `failed`, otherwise none. */
    failedRows: rowCount.optional(),
    /** CDQ and micro: rows that matched an existing record. */
    updatedRows: rowCount.default(0),
    /** Marketo only: rows that went in with a warning. */
    warnedRows: rowCount.default(0),
    message: z.string().optional(),
    /** CDQ only. */
    skippedLines: rowCount.default(0),
    /** How many rows a page has (CDQ, FullStory). */
    pageSize: z.int().min(1).max(100_000).default(1_000),
    /** How the last page says that it is the last. `repeated` names the cursor that it was requested with. */
    lastCursor: z.enum(['absent', 'null', 'empty', 'repeated']).default('absent'),
    /** FullStory only. */
    resource: z.enum(['events', 'users']).default('events'),
    /** Zilliant only. */
    clientErrorCallingService: z.boolean().default(false),
    /** When the vendor forgets the job (404). Absent: micro after 7 days, the others never. */
    expiresAfterMs: milliseconds.optional(),
    steps: z.array(stepSchema).min(1).max(1_000).optional(),
    answers: z.array(answerSchema).max(1_000).default([]),
    faults: z.array(faultSchema).max(100).default([]),
  })
  .superRefine((script, context) => {
    const refuse = (field: string, message: string) => {
      context.addIssue({ code: 'custom', path: [field], message })
    }
    const { provider } = script
    if (!outcomesOf[provider].includes(script.outcome)) {
      refuse('outcome', `must be one of ${outcomesOf[provider].join(', ')} for ${provider}`)
    }
    if (withoutQueue.has(provider) && script.queuedMs > 0) refuse('queuedMs', `is not for ${provider}`)
    if (provider !== 'cdq' && script.skippedLines > 0) refuse('skippedLines', 'is for cdq only')
    if (provider !== 'fullstory' && script.resource !== 'events') refuse('resource', 'is for fullstory only')
    if ((script.failedRows ?? 0) > script.rows) refuse('failedRows', 'must not be more than rows')
    if (script.updatedRows > script.rows - failedRowsOf(script)) {
      refuse('updatedRows', 'must not be more than the rows that succeed')
    }
    if (provider !== 'marketo' && script.warnedRows > 0) refuse('warnedRows', 'is for marketo only')
    if (script.warnedRows > script.rows - failedRowsOf(script)) {
      refuse('warnedRows', 'must not be more than the rows that succeed')
    }
    if (!ascending(script.steps ?? [])) refuse('steps', 'must be in the order of afterMs')
    for (const list of ['answers', 'faults'] as const) {
      script[list].forEach(({ on }, index) => {
        if (on === 'any' || callsOf[provider].includes(on)) return
        const message = `must be one of ${callsOf[provider].join(', ')} for ${provider}`
        context.addIssue({ code: 'custom', path: [list, index, 'on'], message })
      })
    }
  })

export type Script = z.output<typeof scriptSchema>
export type ScriptInput = z.input<typeof scriptSchema>

/** Returns how many rows fail by the end. */
export function failedRowsOf(script: Pick<Script, 'failedRows' | 'outcome' | 'rows'>): number {
  if (script.failedRows !== undefined) return script.failedRows
  if (script.outcome === 'failed') return script.rows
  return script.outcome === 'partial' ? Math.min(script.rows, Math.max(1, Math.floor(script.rows / 10))) : 0
}

const three = ['succeeded', 'partial', 'failed'] as const
const four = [...three, 'canceled'] as const

export const outcomesOf: Readonly<Record<VendorName, readonly ScriptedOutcome[]>> = {
  cdq: outcomes,
  micro: three,
  zilliant: three,
  fullstory: three,
  salesforce: four,
  hubspot: four,
  klaviyo: four,
  shopify: [...four, 'archived'],
  zendesk: four,
  auth0: three,
  mailchimp: three,
  marketo: three,
  bigquery: four,
  azure: ['succeeded', 'failed', 'canceled'],
  aip151: ['succeeded', 'failed', 'canceled'],
  elasticsearch: four,
  sendgrid: three,
  intercom: ['succeeded', 'partial'],
  contentful: ['succeeded', 'failed'],
  algolia: ['succeeded'],
}

const withoutQueue: ReadonlySet<VendorName> = new Set([
  'micro',
  'zilliant',
  'fullstory',
  'aip151',
  'elasticsearch',
  'algolia',
])

const [statusAlone, withDetails] = [['status'], ['status', 'details']] as const

const callsOf: Readonly<Record<VendorName, readonly CallKind[]>> = {
  cdq: withDetails,
  micro: statusAlone,
  zilliant: ['status', 'summary'],
  fullstory: withDetails,
  salesforce: withDetails,
  hubspot: ['status', 'details', 'summary'],
  klaviyo: withDetails,
  shopify: withDetails,
  zendesk: statusAlone,
  auth0: withDetails,
  mailchimp: withDetails,
  marketo: withDetails,
  bigquery: statusAlone,
  azure: statusAlone,
  aip151: statusAlone,
  elasticsearch: statusAlone,
  sendgrid: withDetails,
  intercom: statusAlone,
  contentful: statusAlone,
  algolia: statusAlone,
}

/** Returns true if the vendor has calls for rows besides the status. */
export function hasDetails(provider: VendorName): boolean {
  return callsOf[provider].some((kind) => kind === 'details')
}

function ascending(entries: readonly { afterMs: number }[]): boolean {
  return entries.every((entry, index) => entry.afterMs >= (entries[index - 1]?.afterMs ?? 0))
}
