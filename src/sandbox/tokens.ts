// Owns the vendors' token endpoints, at the sandbox's root: access tokens that live as long as the vendor's.
import { randomBytes, verify } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import type { Account } from './accounts.ts'
import { type Answer, ok } from './vendor.ts'
import { documentVendors } from './vendors/all.ts'
import type { Tokens } from './vendors/form.ts'
import { type DocumentVendorName, documentVendorNames } from './vendors/names.ts'
import { sandboxKey } from './vendors/service-account.ts'
import type { World } from './world.ts'

export interface TokenCall {
  method: string
  path: string
  query: URLSearchParams
  headers: IncomingHttpHeaders
  body: string
  origin: string
}

/** Returns null if no vendor has its token endpoint there. The answer names the vendor that was asked. */
export function answerToken(world: World, call: TokenCall): { provider: DocumentVendorName; answer: Answer } | null {
  const there = documentVendorNames.filter((name) => documentVendors[name].tokens?.path === call.path)
  const [first] = there
  if (first === undefined || call.method === 'HEAD') return null
  const form = new URLSearchParams(call.body)
  const provider = there.find((name) => isClient(world.accounts[name], documentVendors[name].tokens, form, call))
  if (provider === undefined)
    return {
      provider: first,
      answer: { status: 401, headers: {}, body: { error: 'invalid_client', error_description: 'Unknown client' } },
    }
  return { provider, answer: give(world, provider, form, call.origin) }
}

function isClient(
  { credentials }: Account<DocumentVendorName>,
  tokens: Tokens | undefined,
  form: URLSearchParams,
  call: TokenCall,
): boolean {
  switch (tokens?.clientAuth) {
    case 'assertion':
      return isSigned(form.get('assertion') ?? '', `${call.origin}${call.path}`)
    case 'query':
      return isPair(credentials, call.query)
    case 'basic': {
      const [, pair = ''] = /^Basic (.*)$/.exec(call.headers.authorization ?? '') ?? []
      return Buffer.from(pair, 'base64').toString() === `${credentials.clientId}:${credentials.clientSecret}`
    }
    default:
      return isPair(credentials, form)
  }
}

function isPair({ clientId, clientSecret }: Record<string, string>, given: URLSearchParams): boolean {
  return given.get('client_id') === clientId && given.get('client_secret') === clientSecret
}

/** A JWT of RS256 by the sandbox's service account, for this audience, and for an hour at most. */
function isSigned(jwt: string, audience: string): boolean {
  const [head = '', claims = '', signature = ''] = jwt.split('.')
  const isRight = verify(
    'RSA-SHA256',
    Buffer.from(`${head}.${claims}`),
    sandboxKey().publicKey,
    Buffer.from(signature, 'base64url'),
  )
  if (!isRight) return false
  const { aud, iat, exp } = JSON.parse(Buffer.from(claims, 'base64url').toString())
  return aud === audience && exp - iat > 0 && exp - iat <= 3_600
}

function give(world: World, provider: DocumentVendorName, form: URLSearchParams, origin: string): Answer {
  const { tokens } = documentVendors[provider]
  const account = world.accounts[provider]
  const { refreshToken } = account.credentials
  if (refreshToken !== undefined && form.get('refresh_token') !== refreshToken)
    return { status: 400, headers: {}, body: { error: 'invalid_grant', error_description: 'Unknown refresh token' } }
  const accessToken = `${provider}-${randomBytes(12).toString('hex')}`
  const lifetimeS = tokens?.lifetimeS ?? 3_600
  account.tokens.set(accessToken, world.clock.now().getTime() + lifetimeS * 1_000)
  return ok({
    access_token: accessToken,
    refresh_token: refreshToken,
    expires_in: tokens?.isSilent ? undefined : lifetimeS,
    ...tokens?.more?.(origin),
  })
}
