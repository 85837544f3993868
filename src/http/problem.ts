// Owns answering refusals and failures as problem documents (RFC 9457).
import { STATUS_CODES } from 'node:http'
import type { ErrorRequestHandler, Request, Response } from 'express'
import { z } from 'zod'
import { AppError, type FieldError, type ProblemCode, problemStatus } from '../api/refusal.ts'
import type { Log } from '../base/log.ts'
import { isDatabaseAway } from '../db/unreachable.ts'
import { requestIdOf } from './request-log.ts'

const codes = Object.keys(problemStatus) as [ProblemCode, ...ProblemCode[]]

export const problemSchema = z
  .object({
    type: z.literal('about:blank'),
    title: z.string().describe('The status in words.'),
    status: z.number().int(),
    code: z.enum(codes).describe('The kind of problem, for programs.'),
    detail: z.string().describe('The problem in words, for people.'),
    requestId: z.string(),
    errors: z.array(z.object({ field: z.string(), message: z.string() })).describe('The wrong fields.'),
  })
  .meta({ id: 'Problem', description: 'A problem document (RFC 9457).' })

export type Problem = z.infer<typeof problemSchema>

export const problemMediaType = 'application/problem+json'

export function problemOf(error: AppError, requestId: string): Problem {
  const { status, code, message: detail, errors } = error
  return { type: 'about:blank', title: STATUS_CODES[status] ?? 'Error', status, code, detail, requestId, errors }
}

/** Returns the page for a browser. Null: the problem is answered as a document. */
export type PageOfProblem = (request: Request, response: Response, problem: Problem) => string | null

/**
 * The last handler: answers what the others threw. Anything but an expected refusal is a bug, which is logged and not
 * shown.
 */
export function answerProblems(log: Log, pageOf: PageOfProblem): ErrorRequestHandler {
  // Express recognises an error handler by its four parameters.
  return (thrown: unknown, request, response, _next) => {
    const error = expected(thrown) ?? unexpected(thrown, response, log)
    if (error.retryAfterS !== null && !response.headersSent) response.setHeader('retry-after', error.retryAfterS)
    if (response.headersSent) return void response.destroy()
    const problem = problemOf(error, requestIdOf(response))
    const page = pageOf(request, response, problem)
    response.status(error.status)
    if (page === null) response.type(problemMediaType).send(JSON.stringify(problem))
    else response.type('html').send(page)
  }
}

/** The refusals of body-parser and body.ts, by the error's `type`. */
const refusals: Record<string, AppError> = {
  'entity.parse.failed': new AppError(
    'invalid_request',
    'The body is not valid JSON.',
    bodyError('must be valid JSON'),
  ),
  'encoding.broken': new AppError('invalid_request', 'The body is not valid UTF-8.', bodyError('must be UTF-8')),
  'encoding.unsupported': new AppError('unsupported_media_type', 'The content encoding is not supported.'),
  'charset.unsupported': new AppError('unsupported_media_type', 'The body must be UTF-8.'),
  'request.aborted': new AppError('invalid_request', 'The request ended before its body was complete.'),
  'request.size.invalid': new AppError('invalid_request', 'The body is not as long as its Content-Length says.'),
}

function tooLarge(bytes: number): AppError {
  const size = bytes < 1_048_576 ? `${bytes / 1_024} KiB` : `${bytes / 1_048_576} MiB`
  return new AppError('payload_too_large', `The body is larger than ${size}.`, bodyError(`must be at most ${size}`))
}

function bodyError(message: string): FieldError[] {
  return [{ field: 'body', message }]
}

function expected(thrown: unknown): AppError | undefined {
  if (thrown instanceof AppError) return thrown
  if (thrown instanceof URIError) return new AppError('not_found', 'There is nothing at this path.')
  if (!(thrown instanceof Error) || !('status' in thrown)) return undefined
  if ('type' in thrown && thrown.type === 'entity.too.large' && 'limit' in thrown) return tooLarge(Number(thrown.limit))
  if ('type' in thrown && typeof thrown.type === 'string' && refusals[thrown.type]) return refusals[thrown.type]
  const isClientError = typeof thrown.status === 'number' && thrown.status >= 400 && thrown.status < 500
  return isClientError ? new AppError('invalid_request', 'The request could not be read.') : undefined
}

function unexpected(thrown: unknown, response: Response, log: Log): AppError {
  if (isDatabaseAway(thrown)) {
    log.warn({ err: thrown, requestId: requestIdOf(response) }, 'request failed: the database is away')
    return new AppError('unavailable', 'The database can’t be reached now; try again soon.')
  }
  log.error({ err: thrown, requestId: requestIdOf(response) }, 'request failed')
  return new AppError('internal', 'Something went wrong here; the log knows more by the request id.')
}
