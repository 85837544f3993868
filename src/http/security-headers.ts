// Owns the security headers, and what each kind of page may load: nothing from anywhere else.
import type { RequestHandler } from 'express'
import helmet from 'helmet'

type Directives = Record<string, string[]>

const base: Directives = {
  'default-src': ["'none'"],
  'base-uri': ["'none'"],
  'form-action': ["'self'"],
  'frame-ancestors': ["'none'"],
}

/** Answers that aren't pages, and our own pages: a style sheet, nothing that runs. */
const plain: Directives = { ...base, 'style-src': ["'self'"], 'img-src': ["'self'"] }

/** Applications that come as a bundle and style their elements by script. */
const application: Directives = {
  ...base,
  'base-uri': ["'self'"],
  'script-src': ["'self'"],
  'style-src': ["'self'", "'unsafe-inline'"],
  'img-src': ["'self'", 'data:', 'blob:'],
  'font-src': ["'self'", 'data:'],
  'connect-src': ["'self'"],
  'worker-src': ["'self'", 'blob:'],
}

export const plainSecurity = security(plain)
export const applicationSecurity = security(application)

function security(directives: Directives): RequestHandler {
  return helmet({ contentSecurityPolicy: { useDefaults: false, directives } })
}

/** For whatever needs a token: neither the browser nor a proxy keeps it. */
export const noStore: RequestHandler = (_request, response, next) => {
  response.setHeader('cache-control', 'no-store')
  next()
}
