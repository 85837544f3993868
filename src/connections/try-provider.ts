// Owns showing what a document makes of an answer, given or asked for, without storing anything of it.
import { z } from 'zod'
import { invalid, notFound } from '../api/refusal.ts'
import { rowsSchema } from '../api/rows.ts'
import { findNewest } from '../catalog/documents.ts'
import { checkDocument } from '../catalog/put.ts'
import type { Guard } from '../egress/guard.ts'
import { askStatus } from '../providers/ask.ts'
import type { DetailPage, Provider, Report } from '../providers/contract.ts'
import { meaningOf } from '../providers/document/meaning.ts'
import { createDocumentProvider } from '../providers/document/provider.ts'
import { documentSchema } from '../providers/document/read-document.ts'
import { findProvider, isOwnProvider } from '../providers/index.ts'
import { askWithin, type TestDeps } from './test.ts'

export const tryProviderSchema = z
  .strictObject({
    document: z.record(z.string(), z.unknown()).optional().describe('A document to try. Absent: the one of this name.'),
    answer: z
      .strictObject({
        status: z.number().int().min(200).max(599).optional().describe('The HTTP status. Absent: 200.'),
        headers: z.record(z.string(), z.string()).optional(),
        body: z.unknown().optional().describe('JSON. Absent: the answer has no body.'),
      })
      .optional()
      .describe('An answer of the vendor.'),
    of: z.enum(['status', 'summary', 'details']).optional().describe('What the answer is to. Absent: the status call.'),
    settings: z.record(z.string(), z.unknown()).optional().describe('A connection’s settings, for `answer`.'),
    connection: z.string().min(1).max(100).optional().describe('A connection to ask with, instead of `answer`.'),
    jobId: z.string().min(1).max(2_000).optional().describe('The job to ask about with `connection`.'),
  })
  .meta({ id: 'TryProvider' })

export type TryProviderInput = z.infer<typeof tryProviderSchema>

const time = z.iso.datetime().nullable()
const count = z.number().int().nullable()
const text = z.string().nullable()

const reportSchema = z
  .object({
    state: z.string(),
    providerStatus: text,
    message: text,
    progress: z.number().nullable(),
    rows: rowsSchema,
    createdAt: time,
    startedAt: time,
    finishedAt: time,
    expiresAt: time,
    missing: text.describe('What a success lacks. It would be asked for again.'),
    body: z.unknown(),
  })
  .meta({ id: 'TriedReport' })

const detailsSchema = z
  .object({
    skippedLines: z.array(z.unknown()),
    rowResults: z.array(z.unknown()),
    next: text.describe('The cursor of the next page; "" stands for the first one. Null: there is none.'),
    announced: count.optional(),
  })
  .meta({ id: 'TriedDetails' })

export const triedProviderSchema = z
  .object({
    report: reportSchema.nullable(),
    details: detailsSchema.nullable(),
    error: z.object({ code: z.string(), message: z.string() }).nullable(),
  })
  .meta({ id: 'TriedProvider' })

export type TriedProvider = z.infer<typeof triedProviderSchema>

export interface TryDeps extends TestDeps {
  guard: Guard
}

/** @throws {AppError} `not_found`, or `invalid_request` naming the place in the document or request. */
export async function tryProvider(
  deps: TryDeps,
  name: string,
  input: TryProviderInput,
  signal: AbortSignal,
): Promise<TriedProvider> {
  const { answer, connection, jobId, of, settings } = input
  if ((answer === undefined) === (connection === undefined))
    throw invalid('answer', 'must be given, or else connection and jobId')
  if ((connection === undefined) !== (jobId === undefined)) throw invalid('jobId', 'and connection belong together')
  const provider = await providerToTry(deps, name, input.document)
  if (connection !== undefined) return askTo(deps, provider, { connection, jobId: jobId ?? '' }, signal)
  const given = { status: answer?.status ?? 200, headers: answer?.headers ?? {}, body: answer?.body }
  const meaning = meaningOf(provider, given, { of, settings, now: deps.clock.now() })
  return shown(meaning as Meaning)
}

interface Meaning {
  report: Report | null
  details: DetailPage | null
  missing: string | null
  error: TriedProvider['error']
}

async function providerToTry(
  { db, clock, guard }: TryDeps,
  name: string,
  given: Record<string, unknown> | undefined,
): Promise<Provider> {
  if (given !== undefined) return checkDocument(guard, name, given, clock.now(), 'document').provider as Provider
  const stored = await findNewest(db, name)
  if (stored) return createDocumentProvider(documentSchema.parse(stored.document)) as Provider
  if (!isOwnProvider(name)) throw notFound('provider')
  return findProvider(name)
}

async function askTo(
  deps: TryDeps,
  provider: Provider,
  { connection, jobId }: { connection: string; jobId: string },
  signal: AbortSignal,
): Promise<TriedProvider> {
  const asked = await askWithin(
    deps,
    connection,
    signal,
    (access, patience) => askStatus(deps.client, provider, access, jobId, { signal: patience }),
    (access) => {
      if (access.provider.name !== provider.name)
        throw invalid('connection', `must be one to ${provider.name}; it is one to ${access.provider.name}`)
    },
  )
  if (asked.kind === 'refused') return shown({ report: null, details: null, missing: null, error: asked.error })
  return shown({ ...asked.value, error: null })
}

function shown({ report, details, missing, error }: Meaning): TriedProvider {
  return {
    report: report && {
      ...report,
      createdAt: shownTime(report.createdAt),
      startedAt: shownTime(report.startedAt),
      finishedAt: shownTime(report.finishedAt),
      expiresAt: shownTime(report.expiresAt),
      missing,
    },
    details: details && { ...details, announced: details.announced ?? null },
    error: error && { code: error.code, message: error.message },
  }
}

function shownTime(at: Date | null): string | null {
  return at?.toISOString() ?? null
}
