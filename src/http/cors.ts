// Owns which other sites' pages may call the API from a browser (WHATWG Fetch, "CORS protocol"). Tokens come in a
// header, so no site can use a visitor's cookies.
import type { RequestHandler } from 'express'

const allowed = {
  'access-control-allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE',
  'access-control-allow-headers': 'Accept, Authorization, Content-Type, X-Request-Id',
  'access-control-max-age': '600',
}
/** The headers that a script may read besides the safelisted ones. */
const exposed = 'Content-Disposition, Link, Location, Retry-After, WWW-Authenticate, X-Request-Id'

/** @param origins such as https://app.example.com, as browsers write them. */
export function allowOrigins(origins: readonly string[]): RequestHandler {
  return (request, response, next) => {
    response.vary('Origin')
    const { origin } = request.headers
    if (origin === undefined || !origins.includes(origin)) return next()
    response.setHeader('access-control-allow-origin', origin)
    response.setHeader('access-control-expose-headers', exposed)
    const isPreflight = request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined
    if (!isPreflight) return next()
    response.removeHeader('access-control-expose-headers')
    response.set(allowed).status(204).end()
  }
}
