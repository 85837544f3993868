// Owns who may see a page: holders of a session or a bearer token whose scope covers it.
import type { Request, RequestHandler, Response } from 'express'
import { AppError } from '../../api/refusal.ts'
import { requireStorable } from '../../api/validation.ts'
import type { Principal } from '../../tokens/authenticate.ts'
import { allows, type Scope } from '../../tokens/scope.ts'
import { type AuthDeps, authorize, bearerToken } from '../auth.ts'
import type { ApiLimits } from '../limits.ts'
import type { Sessions } from '../session.ts'
import { loginPath } from './login.ts'
import { type Preferences, preferencesOf } from './preferences.ts'

export interface PageGuardDeps extends AuthDeps {
  limits: ApiLimits
  sessions: Sessions
  /** What every path of this site begins with. */
  basePath: string
}

/** Who looks at a page, and how they want it to look. */
export interface Viewer extends Principal {
  preferences: Preferences
}

/** Redirects a browser that isn't signed in to the login page. Refuses all others without access. */
export function requireSignIn(deps: PageGuardDeps, scope: Scope): RequestHandler {
  return async (request, response, next) => {
    if (bearerToken(request) !== null) {
      see(request, response, await authorize(request, response, deps, scope))
      requireStorable(request.query)
      return next()
    }
    const principal = await deps.sessions.principal(request)
    if (principal === null && wantsPage(request)) return response.redirect(303, loginPath(deps.basePath, request))
    if (principal === null)
      throw new AppError('unauthenticated', `Sign in at ${deps.basePath}/login, or send a bearer token.`)
    // The page of a refusal knows who looks at it.
    see(request, response, principal)
    if (!allows(principal.scope, scope))
      throw new AppError('forbidden', `This needs a token of the scope ${scope}; this one has ${principal.scope}.`)
    deps.limits.countRequest(principal)
    requireStorable(request.query)
    return next()
  }
}

/** For paths where nothing is: the page that says so knows who looks at it, and asks nobody to sign in twice. */
export function knowViewer({ sessions }: Pick<PageGuardDeps, 'sessions'>): RequestHandler {
  return async (request, response, next) => {
    const principal = request.accepts(['json', 'html']) === 'html' ? await sessions.principal(request) : null
    if (principal !== null) see(request, response, principal)
    next()
  }
}

function see(request: Request, response: Response, viewer: Principal): void {
  response.locals.principal = { ...viewer, preferences: preferencesOf(request) } satisfies Viewer
}

export function principalOf(response: Response): Viewer {
  return response.locals.principal as Viewer
}

function wantsPage(request: Request): boolean {
  return request.method === 'GET' && request.accepts(['json', 'html']) === 'html'
}
