// Owns the security headers, and what each kind of page may load: nothing from other sites.
import type { RequestHandler } from 'express'
import helmet from 'helmet'

type Directives = Record<string, string[]>

const base: Directives = {
  'default-src': ["'none'"],
  'base-uri': ["'none'"],
  'form-action': ["'self'"],
  'frame-ancestors': ["'none'"],
}

/** For our own pages, and answers that aren't pages: nothing but what this server has as files. */
const plain: Directives = {
  ...base,
  'script-src': ["'self'"],
  'style-src': ["'self'"],
  'img-src': ["'self'"],
  'connect-src': ["'self'"],
}

/** For applications that come as a bundle and style their elements by script. */
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

export const plainSecurity: RequestHandler = security(plain)
export const applicationSecurity: RequestHandler = security(application)

function security(directives: Directives): RequestHandler {
  return helmet({
    contentSecurityPolicy: { useDefaults: false, directives },
    referrerPolicy: { policy: 'same-origin' }, // our own forms lead back to where they were; other sites learn nothing
  })
}

/** For everything that needs a token: neither browsers nor proxies store it. */
export const noStore: RequestHandler = (_request, response, next) => {
  response.setHeader('cache-control', 'no-store')
  next()
}
