// Owns running the examples of a document: real answers, and what the document has to make of them.
import { ZodError } from 'zod'
import { isRawNumber } from '../../base/json.ts'
import { firstPage, type Provider } from '../contract.ts'
import { contentError, kindOfAnswer } from '../failure.ts'
import { FileError } from '../files/file-error.ts'
import { readRecords } from '../files/records.ts'
import type { Problem } from './bounds.ts'
import type { AnswerForm, ExampleForm, ProviderDocument } from './document.ts'
import type { DocumentProvider } from './provider.ts'

/** What an answer means. `error` is its kind and message; then there is no report. */
export interface Meaning {
  report: unknown
  details: unknown
  missing: string | null
  /** Where the next poll goes. Absent: as before. */
  pollUrl?: string | null
  error: { code: string; message: string } | null
}

/** Returns what is wrong with each example that fails. */
export function runExamples(document: ProviderDocument, provider: DocumentProvider, now: Date): Problem[] {
  return document.examples.flatMap((example, index) =>
    runExample(provider, example, now).map(({ path, message }) => ({ path: ['examples', index, ...path], message })),
  )
}

function runExample(provider: DocumentProvider, example: ExampleForm, now: Date): Problem[] {
  const { of, list, answer, settings = {}, report, details, pollUrl, error } = example
  const meaning =
    of === 'file'
      ? meaningOfFile(provider as Provider, example)
      : meaningOf(provider as Provider, answer, { of, list, settings, now })
  if (error !== undefined) {
    const code = meaning.error?.code ?? null
    return code === error
      ? []
      : [{ path: ['error'], message: `must be ${shown(code)}, as the document reads this answer` }]
  }
  if (meaning.error) return [{ path: ['answer'], message: `is an error to this document: ${meaning.error.message}` }]
  return [
    ...(report === undefined ? [] : differences(report, meaning.report, ['report'])),
    ...(details === undefined ? [] : differences(details, meaning.details, ['details'])),
    ...(pollUrl === undefined ? [] : differences(pollUrl, meaning.pollUrl ?? null, ['pollUrl'])),
  ]
}

/** Reads an answer as a poll would. */
export function meaningOf(
  provider: Provider,
  answer: Pick<AnswerForm, 'status' | 'headers' | 'body'>,
  {
    of = 'status',
    list = 0,
    settings,
    now,
  }: { of?: Exclude<ExampleForm['of'], 'file'> | undefined; list?: number; settings: unknown; now: Date },
): Meaning {
  const body = answer.body ?? null
  const head = { status: answer.status, headers: lowerCased(answer.headers), settings }
  const kind = provider.classify?.(head, body, now).kind ?? kindOfAnswer(answer.status, body)
  if (kind !== null) {
    const classified = { kind, retryAfterMs: null }
    const { readError } = provider
    const { message } = contentError(body, {
      credentials: {},
      readError,
      status: answer.status,
      retryAfterMs: null,
      classified,
    })
    return { report: null, details: null, missing: null, error: { code: kind, message } }
  }
  try {
    if (of === 'details') {
      const lists = provider.details?.lists ?? (provider.details ? [provider.details] : [])
      const page = lists[list]?.read(body, firstPage, head)
      if (!page) throw new TypeError('The document has no such pages of details.')
      return { report: null, details: page, missing: null, error: null }
    }
    const { report, details, missing, pollUrl } = provider.readStatus(of === 'summary' ? {} : body, head)
    if (of === 'status' || !provider.summary)
      return { report, details, missing, ...(pollUrl && { pollUrl }), error: null }
    const refined = provider.summary.read(body, { ...report, state: 'succeeded' }, head)
    return { details: null, ...refined, error: null }
  } catch (error) {
    if (!(error instanceof ZodError) && !(error instanceof TypeError)) throw error
    const message = error instanceof ZodError ? issueOf(error) : error.message
    return { report: null, details: null, missing: null, error: { code: 'invalid_response', message } }
  }
}

/** Header names as an answer has them. */
export function lowerCased(headers: AnswerForm['headers']): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, text]) => [name.toLowerCase(), text]))
}

/** Reads the text of a file as a collection would. Of an archive, it is the text of one file in it. */
function meaningOfFile(provider: Provider, { answer, status, file = 0, settings = {} }: ExampleForm): Meaning {
  try {
    const source = provider.files?.of(status, { status: 200, headers: {}, settings })[file]
    if (!source) throw new TypeError('The status names no such file.')
    const { body } = answer
    const text = typeof body === 'string' ? body : JSON.stringify(body ?? '')
    const { limits, format } = source
    const reader = readRecords(format, { maxRecordBytes: limits.recordLength, from: null })
    const some = [reader.read(Buffer.from(text)), reader.end()]
    const details = source.read(some.flatMap((one) => one?.records ?? []))
    return { report: null, details, missing: null, error: null }
  } catch (error) {
    if (!(error instanceof ZodError) && !(error instanceof TypeError) && !(error instanceof FileError)) throw error
    const message = error instanceof ZodError ? issueOf(error) : error.message
    return { report: null, details: null, missing: null, error: { code: 'invalid_response', message } }
  }
}

function issueOf({ issues: [issue] }: ZodError): string {
  const where = issue?.path.join('.') || 'the answer'
  return `${where} ${issue?.message}.`
}

/** Every key that is expected must be equal. Other keys don't matter. */
function differences(expected: unknown, found: unknown, path: Problem['path']): Problem[] {
  if (isPlainObject(expected) && isPlainObject(found))
    return Object.entries(expected).flatMap(([key, inner]) =>
      differences(inner, Object.hasOwn(found, key) ? found[key] : undefined, [...path, key]),
    )
  if (Array.isArray(expected) && Array.isArray(found) && expected.length === found.length)
    return expected.flatMap((inner, index) => differences(inner, found[index], [...path, index]))
  return isSame(expected, found)
    ? []
    : [{ path, message: `must be ${shown(found)}, as the document reads this answer` }]
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Date) &&
    !isRawNumber(value)
  )
}

function isSame(expected: unknown, found: unknown): boolean {
  if (found instanceof Date) return typeof expected === 'string' && Date.parse(expected) === found.getTime()
  return JSON.stringify(expected) === JSON.stringify(found)
}

function shown(value: unknown): string {
  return value === undefined ? 'absent' : JSON.stringify(value).slice(0, 100)
}
