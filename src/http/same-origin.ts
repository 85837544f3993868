// Owns refusing requests that another site makes a signed-in browser send. SameSite=Lax is the first safeguard; this is
// the second (Fetch Metadata, or Origin if a browser doesn't send that).
import type { RequestHandler } from 'express'
import { AppError } from '../api/refusal.ts'

const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * For requests authorised by a cookie. A client that sends neither header is no browser, and has no session to abuse.
 */
export const requireSameOrigin: RequestHandler = (request, _response, next) => {
  if (safeMethods.has(request.method)) return next()
  const site = request.headers['sec-fetch-site']
  const { origin, host } = request.headers
  const isSame =
    site !== undefined ? site === 'same-origin' || site === 'none' : origin === undefined || isAt(origin, host)
  if (!isSame) throw new AppError('forbidden', 'This can only be done from the tracker’s own pages.')
  next()
}

/** Compares the host alone, because a proxy that ends TLS changes the scheme. */
function isAt(origin: string, host: string | undefined): boolean {
  return URL.parse(origin)?.host === host
}
