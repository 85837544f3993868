// Owns how an import is shown: by the API, in the stream, and in the data of its events.
import { z } from 'zod'
import { rowsSchema } from '../api/rows.ts'
import type { StoredPollError } from '../db/schema/index.ts'
import { attentions, type ImportState, type LostReason, lostReasons, states } from '../model/import-state.ts'
import type { ImportRow } from './columns.ts'

const time = z.iso.datetime().nullable()
const text = z.string().nullable()

const lastErrorSchema = z
  .object({ code: z.string(), message: z.string(), at: z.iso.datetime() })
  .meta({ id: 'LastError', description: 'The error of the last call.' })

export const detailsStates = ['none', 'pending', 'collecting', 'complete', 'incomplete'] as const

export const importSchema = z
  .object({
    id: z.uuid(),
    connection: z.string(),
    provider: z.string(),
    jobId: z.string().describe('The provider’s id of the job.'),
    state: z.enum(states).describe('`lost`: nobody can know how the import ended. It never claims a failure.'),
    lostReason: z.enum(lostReasons).nullable(),
    attention: text.describe(
      `Why a person should look at the import. The first that holds of ${attentions.map((one) => `\`${one}\``).join(', ')}. Later versions may add others.`,
    ),
    providerStatus: text.describe('The provider’s own word for the state.'),
    message: text.describe('The provider’s text for people.'),
    progress: z.number().min(0).max(1).nullable(),
    rows: rowsSchema,
    details: z
      .object({
        state: z
          .enum(detailsStates)
          .describe('How far skipped lines and row results are stored. `incomplete`: the rest could not be had.'),
        skippedLines: z.number().int(),
        rowResults: z.number().int(),
        lastError: lastErrorSchema.nullable().describe('Why no rows come. Null once they do.'),
      })
      .meta({ id: 'Details' }),
    providerCreatedAt: time,
    providerStartedAt: time,
    providerFinishedAt: time,
    registeredAt: z.iso.datetime(),
    firstPolledAt: time,
    lastPolledAt: time,
    nextPollAt: time.describe('When the next poll is due. Null: the import is over.'),
    finishedAt: time.describe('When the tracker saw that the import is over.'),
    polls: z.number().int(),
    lastError: lastErrorSchema
      .nullable()
      .describe(
        'The error of the last poll, or what the outcome lacks (`outcome_incomplete`). Null once a poll succeeds and shows all.',
      ),
    metadata: z.record(z.string(), z.unknown()),
    eta: z
      .object({ at: z.iso.datetime(), earliest: z.iso.datetime(), latest: z.iso.datetime() })
      .meta({
        id: 'Eta',
        description:
          'When the import is likely to end, by how long others took that had run as long, and by its progress. One in ten ends before `earliest`, one in ten after `latest`. Never in the past: what takes longer than foreseen moves on.',
      })
      .nullable()
      .describe('Null: the import is over, or nothing is known of its kind yet.'),
    usualDurationMs: z
      .number()
      .int()
      .nullable()
      .describe(
        'The median duration of the connection’s imports, or of those alike (`baselineBy`). Null: none has ended.',
      ),
    detectionGapMs: z
      .number()
      .int()
      .nullable()
      .describe(
        'The time between the last poll that saw the import live and the one that saw it over. The end was seen this much later at most. Null: it isn’t over, or no poll saw it live.',
      ),
    url: text.describe('Its page, for people. Null: `PUBLIC_URL` is unset.'),
  })
  .meta({ id: 'Import' })

/** An import as the API shows it. Unknown values are null. */
export type ApiImport = z.infer<typeof importSchema>

export function presentImport(row: ImportRow, connection: { name: string; provider: string }, now: Date): ApiImport {
  return {
    id: row.id,
    connection: connection.name,
    provider: connection.provider,
    jobId: row.jobId,
    state: row.state as ImportState,
    lostReason: row.lostReason as LostReason | null,
    attention: row.attention,
    providerStatus: row.providerStatus,
    message: row.message,
    progress: row.progress,
    rows: {
      total: row.rowsTotal,
      processed: row.rowsProcessed,
      succeeded: row.rowsSucceeded,
      failed: row.rowsFailed,
      inserted: row.rowsInserted,
      updated: row.rowsUpdated,
      skipped: row.rowsSkipped,
    },
    details: {
      state: row.detailsState as ApiImport['details']['state'],
      skippedLines: row.skippedLines,
      rowResults: row.rowResults,
      lastError: presentError(row.detailsError),
    },
    providerCreatedAt: iso(row.providerCreatedAt),
    providerStartedAt: iso(row.providerStartedAt),
    providerFinishedAt: iso(row.providerFinishedAt),
    registeredAt: row.registeredAt.toISOString(),
    firstPolledAt: iso(row.firstPolledAt),
    lastPolledAt: iso(row.lastPolledAt),
    nextPollAt: iso(row.nextPollAt),
    finishedAt: iso(row.finishedAt),
    polls: row.polls,
    lastError: presentError(row.lastError),
    metadata: row.metadata,
    eta: presentEta(row, now),
    usualDurationMs: row.usualDurationMs,
    detectionGapMs: row.detectionGapMs,
    url: row.publicUrl === null ? null : `${row.publicUrl}/imports/${row.id}`,
  }
}

/** What was foreseen for a moment that has passed meanwhile may come at any moment. */
function presentEta({ etaAt, etaEarliest, etaLatest }: ImportRow, now: Date): ApiImport['eta'] {
  if (etaAt === null || etaEarliest === null || etaLatest === null) return null
  const coming = (at: Date) => (at > now ? at : now).toISOString()
  return { at: coming(etaAt), earliest: coming(etaEarliest), latest: coming(etaLatest) }
}

function presentError(stored: StoredPollError | null): ApiImport['lastError'] {
  return stored && { code: stored.code, message: stored.message, at: stored.at }
}

function iso(date: Date | null): string | null {
  return date?.toISOString() ?? null
}
