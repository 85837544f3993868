// Owns giving each request an id and one line in the log.
import { performance } from 'node:perf_hooks'
import type { RequestHandler, Response } from 'express'
import { newId } from '../base/ids.ts'
import type { Log } from '../base/log.ts'

/** Returns the request id: the caller's `X-Request-Id` if it is harmless, otherwise a new one. Answers repeat it. */
export function requestIdOf(response: Response): string {
  return String(response.getHeader(header))
}

const header = 'x-request-id'
const harmless = /^[\w.:-]{1,128}$/
/** Machines read these every few seconds, and successes tell nothing. */
const quiet = new Set(['/healthz', '/readyz', '/metrics'])

export function logRequests(log: Log): RequestHandler {
  return (request, response, next) => {
    const given = request.headers[header]
    const requestId = typeof given === 'string' && harmless.test(given) ? given : newId()
    response.setHeader(header, requestId)
    const startedAt = performance.now()
    response.once('close', () => {
      const durationMs = Math.round(performance.now() - startedAt)
      const status = response.statusCode
      // The query is left out: cursors and filters are long, and don't belong in the log.
      const path = request.originalUrl.split('?')[0] ?? ''
      const line = { requestId, method: request.method, path, status, durationMs }
      const level = quiet.has(`/${path.split('/').at(-1)}`) && status < 400 ? 'debug' : 'info'
      log[level]({ ...line, complete: response.writableFinished }, 'request')
    })
    next()
  }
}
