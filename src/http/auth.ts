// Owns who may call the API: a bearer token (RFC 6750) with a scope that covers the operation.
import type { Request, Response } from 'express'
import { AppError } from '../errors.ts'
import type { Authenticator, Principal } from '../tokens/authenticate.ts'
import { allows, type Scope } from '../tokens/scope.ts'

/** @throws {AppError} unauthenticated, forbidden; the `WWW-Authenticate` header says more. */
export async function authorize(
  request: Request,
  response: Response,
  authenticator: Authenticator,
  scope: Scope,
): Promise<Principal> {
  const token = bearerToken(request)
  if (token === null) throw challenge(response, '', new AppError('unauthenticated', 'A bearer token is needed.'))
  const principal = await authenticator.authenticate(token)
  if (principal === null)
    throw challenge(response, ', error="invalid_token"', new AppError('unauthenticated', 'The token is not valid.'))
  if (!allows(principal.scope, scope)) {
    const refusal = new AppError(
      'forbidden',
      `This needs a token of the scope ${scope}; this one has ${principal.scope}.`,
    )
    throw challenge(response, `, error="insufficient_scope", scope="${scope}"`, refusal)
  }
  return principal
}

/** Null: the request has none. */
export function bearerToken(request: Request): string | null {
  return /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1] ?? null
}

function challenge(response: Response, parameters: string, refusal: AppError): AppError {
  response.setHeader('www-authenticate', `Bearer realm="import-tracker"${parameters}`)
  return refusal
}
