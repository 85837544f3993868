// Owns who may call the API: holders of a bearer token (RFC 6750) whose scope covers the operation.
import type { Request, Response } from 'express'
import { AppError } from '../api/refusal.ts'
import type { Authenticator, Principal } from '../tokens/authenticate.ts'
import { allows, type Scope } from '../tokens/scope.ts'
import type { ApiLimits } from './limits.ts'

export interface AuthDeps {
  authenticator: Authenticator
  limits: Pick<ApiLimits, 'countRequest' | 'countWrongToken'>
}

/**
 * @throws {AppError} `unauthenticated`, `forbidden` or `too_many_requests`. The `WWW-Authenticate` header says more.
 */
export async function authorize(
  request: Request,
  response: Response,
  { authenticator, limits }: AuthDeps,
  scope: Scope,
): Promise<Principal> {
  const token = bearerToken(request)
  if (token === null) throw challenge(response, '', new AppError('unauthenticated', 'A bearer token is needed.'))
  const principal = await authenticator.authenticate(token)
  if (principal === null) {
    limits.countWrongToken(request)
    throw challenge(response, ', error="invalid_token"', new AppError('unauthenticated', 'The token is not valid.'))
  }
  limits.countRequest(principal)
  if (!allows(principal.scope, scope)) {
    const refusal = new AppError(
      'forbidden',
      `This needs a token of the scope ${scope}; this one has ${principal.scope}.`,
    )
    throw challenge(response, `, error="insufficient_scope", scope="${scope}"`, refusal)
  }
  return principal
}

/** Returns null if the request has none. */
export function bearerToken(request: Request): string | null {
  return /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1] ?? null
}

function challenge(response: Response, parameters: string, refusal: AppError): AppError {
  response.setHeader('www-authenticate', `Bearer realm="import-tracker"${parameters}`)
  return refusal
}
