// Owns what an answer means to a provider, without a vendor: as a poll, or the collection of rows, would read it.
import { ZodError } from 'zod'
import { firstPage, type Provider, type Report } from '../contract.ts'
import { contentError, kindOfAnswer } from '../failure.ts'
import { FileError } from '../files/file-error.ts'
import { readRecords } from '../files/records.ts'
import type { AnswerForm, ExampleForm } from './forms/example.ts'
import { listsAt } from './lists.ts'

export interface Meaning {
  report: unknown
  details: unknown
  missing: string | null
  /** Where the next poll goes. Absent: as before. */
  pollUrl?: string | null
  /** Of a status: the files of rows that it names. */
  files?: readonly unknown[]
  /** Of a status: which of the lists of pages the job has, from 0. */
  lists?: readonly number[]
  /** Its kind and message. Then there is no report. */
  error: MeantError | null
}

interface MeantError {
  /** The kind. */
  code: string
  /** For people. */
  message: string
  /** The vendor's own words. */
  said?: { code: string | null; message: string | null } | null
  /** The wait that the answer asks for elsewhere than in `Retry-After`. */
  retryAfterMs?: number | null
}

interface Reading {
  of?: Exclude<ExampleForm['of'], 'file'> | undefined
  /** Of details: which list of pages, from 0. */
  list?: number
  settings: unknown
  now: Date
}

const nothing = { report: null, details: null, missing: null } as const

/** Reads an answer as a poll would. */
export function meaningOf(
  provider: Provider,
  answer: Pick<AnswerForm, 'status' | 'headers' | 'body'>,
  { of = 'status', list = 0, settings, now }: Reading,
): Meaning {
  const body = answer.body ?? null
  const head = { status: answer.status, headers: lowerCased(answer.headers), settings }
  const classified = provider.classify?.(head, body, now) ?? { kind: null, retryAfterMs: null }
  const kind = classified.kind ?? kindOfAnswer(answer.status, body)
  if (kind !== null) {
    const { readError } = provider
    const { message, retryAfterMs } = contentError(body, {
      ...{ credentials: {}, readError, status: answer.status, retryAfterMs: null },
      classified: { ...classified, kind },
    })
    return { ...nothing, error: { code: kind, message, said: readError(body), retryAfterMs } }
  }
  return refusalsTold(() => {
    if (of === 'details') {
      const lists = provider.details?.lists ?? (provider.details ? [provider.details] : [])
      const page = lists[list]?.read(body, firstPage, head)
      if (!page) throw new TypeError('The document has no such pages of details.')
      return { ...nothing, details: page, error: null }
    }
    const { report, details, missing, pollUrl } = provider.readStatus(of === 'summary' ? {} : body, head)
    if (of === 'summary' && !provider.summary) throw new TypeError('The document has no summary.')
    if (of === 'status' || !provider.summary) {
      const files = provider.files?.of(body, head) ?? []
      const lists = listsOf(provider, report, details?.next ?? null, settings)
      return { ...{ report, details, missing, files, lists }, ...(pollUrl && { pollUrl }), error: null }
    }
    const refined = provider.summary.read(body, { ...report, state: 'succeeded' }, head)
    return { details: null, ...refined, error: null }
  })
}

function listsOf({ details }: Provider, report: Report, next: string | null, settings: unknown): readonly number[] {
  if (next !== firstPage || !details) return []
  const begin = details.begin ? details.begin(report, settings) : firstPage
  return begin === null ? [] : listsAt(begin)
}

/** Reads the text of a file as a collection would. Of an archive, it is the text of one file in it. */
export function meaningOfFile(provider: Provider, { answer, status, file = 0, settings = {} }: ExampleForm): Meaning {
  return refusalsTold(() => {
    const head = { status: 200, headers: {}, settings }
    const source = provider.files?.of(status, head)[file]
    if (!source) throw new TypeError('The status names no such file.')
    const { body } = answer
    const text = typeof body === 'string' ? body : JSON.stringify(body ?? '')
    const { limits, format } = source
    const reader = readRecords(format, { maxRecordBytes: limits.recordLength, from: null })
    const some = [reader.read(Buffer.from(text)), reader.end()]
    const details = source.read(some.flatMap((one) => one?.records ?? []))
    const { rowResults, skippedLines } = details
    const failed = rowResults.filter(({ error }) => error !== null).length + skippedLines.length
    const { report, awaitsRows } = provider.readStatus(status, head)
    const told = awaitsRows && provider.outcomeOfRows
    const outcome = told ? told(report, { rows: rowResults.length + skippedLines.length, failed }) : report
    return { ...nothing, report: outcome, details, error: null }
  })
}

/** A provider throws at an answer that it can't read. This tells it as `invalid_response`, as a poll does. */
function refusalsTold(read: () => Meaning): Meaning {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof ZodError) && !(error instanceof TypeError) && !(error instanceof FileError)) throw error
    const message = error instanceof ZodError ? issueOf(error) : error.message
    return { ...nothing, error: { code: 'invalid_response', message } }
  }
}

function issueOf({ issues: [issue] }: ZodError): string {
  const where = issue?.path.join('.') || 'the answer'
  return `${where} ${issue?.message}.`
}

/** Header names as an answer has them. */
export function lowerCased(headers: AnswerForm['headers']): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, text]) => [name.toLowerCase(), text]))
}
