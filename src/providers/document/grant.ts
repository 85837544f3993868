// Owns how a document gets access tokens: by client credentials, by a refresh token, or by an assertion that it signs.
import { SignJWT } from 'jose'
import { refusal } from '../body.ts'
import type { Token, TokenRequest } from '../contract.ts'
import { headerText } from '../credentials.ts'
import { ProviderError } from '../error.ts'
import { readNumber } from '../fields.ts'
import { credentialsIn } from './check.ts'
import { authsOf, type ProviderDocument } from './document.ts'
import { textOf } from './evaluate.ts'
import type { OAuthForm } from './forms/access.ts'
import { compilePointer, pointerParts } from './pointer.ts'
import { readPrivateKey } from './private-key.ts'
import { basic, compileTexts, isGiven, templateOf } from './requests.ts'
import { fill, type TemplateInput } from './template.ts'

/** Returns how to get the token that these credentials need. Null: they need none. */
export function compileTokenRequest(
  document: ProviderDocument,
): (input: TemplateInput, refreshToken: string | null) => TokenRequest | null {
  const auths = authsOf(document).map((form) => ({ names: credentialsIn(form), form }))
  const makers = new Map(
    auths.flatMap(({ form }) => (form.kind === 'oauth2' ? [[form, compileGrant(form)] as const] : [])),
  )
  return (input, refreshToken) => {
    const chosen = auths.find(({ names }) => isGiven(names, input))?.form
    return (chosen?.kind === 'oauth2' && makers.get(chosen)?.(input, refreshToken)) || null
  }
}

const grantTypes = {
  clientCredentials: 'client_credentials',
  refreshToken: 'refresh_token',
  jwtBearer: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
} as const

function compileGrant(form: OAuthForm): (input: TemplateInput, refreshToken: string | null) => TokenRequest {
  const urlOf = compileTokenUrl(form)
  const { clientId, clientSecret, refreshToken } = form
  const texts = compileTexts({
    ...(clientId !== undefined && { clientId }),
    ...(clientSecret !== undefined && { clientSecret }),
    ...(refreshToken !== undefined && { refreshToken }),
  })
  const extra = compileTexts(form.extra)
  const assertionOf = form.jwt && compileAssertion(form.jwt)
  const refreshTokenOf = readRefreshToken(form)
  const grant_type = grantTypes[form.grant]
  const grant = JSON.stringify(form)
  return (input, newest) => {
    const { clientId: id, clientSecret: secret, refreshToken: first } = texts(input)
    const [url, isBasic, isQuery] = [urlOf(input), form.clientAuth === 'basic', form.clientAuth === 'query']
    const client = id === undefined || isBasic ? {} : { client_id: id, client_secret: secret ?? '' }
    const params = { grant_type, ...client, ...(first !== undefined && { refresh_token: newest ?? first }) }
    const sent = { ...params, ...extra(input) }
    return {
      url,
      grant,
      firstRefreshToken: first ?? null,
      query: isQuery ? sent : {},
      headers:
        id !== undefined && isBasic
          ? { authorization: basic(encodeURIComponent(id), encodeURIComponent(secret ?? '')) }
          : {},
      async form(now) {
        if (assertionOf) return { ...sent, assertion: await assertionOf(input, url, now) }
        return isQuery ? {} : sent
      },
      read: readToken(form, input.baseUrl),
      readRefreshToken: refreshTokenOf,
    }
  }
}

function compileTokenUrl(form: OAuthForm): (input: TemplateInput) => string {
  const templates = [form.tokenUrl].flat().map(templateOf)
  return (input) => {
    // A URL as a whole comes from a credential. Everything else is part of a path.
    const isWhole = (template: (typeof templates)[number]) => template.length === 1 && typeof template[0] !== 'string'
    for (const template of templates) {
      const text = fill(template, input, isWhole(template) ? (url) => url : encodeURIComponent)
      const base = new URL(input.baseUrl)
      const url = text === null ? null : isWhole(template) ? URL.parse(text) : URL.parse(text, base.origin)
      // The client's secret goes there.
      const isSecure = url?.protocol === 'https:' || (url?.protocol === 'http:' && base.protocol === 'http:')
      if (url && isSecure && url.username === '' && url.password === '') return url.href
    }
    throw new ProviderError('unauthorized', 'The credentials name no URL that a token can be got from.')
  }
}

function compileAssertion(jwt: NonNullable<OAuthForm['jwt']>) {
  const key = compileTexts({ key: jwt.key, ...(jwt.keyId !== undefined && { keyId: jwt.keyId }) })
  const claims = compileTexts(jwt.claims)
  return (input: TemplateInput, audience: string, now: Date): Promise<string> => {
    const { key: pem = '', keyId } = key(input)
    const privateKey = readPrivateKey(pem)
    if (privateKey === null)
      throw new ProviderError('unauthorized', 'The private key of the credentials can’t be read, so nothing was asked.')
    const iat = Math.floor(now.getTime() / 1_000)
    return new SignJWT({ aud: audience, ...claims(input), iat, exp: iat + jwt.lifetimeS })
      .setProtectedHeader({ alg: jwt.alg, typ: 'JWT', ...(keyId !== undefined && { kid: keyId }) })
      .sign(privateKey)
  }
}

function readToken(form: OAuthForm, from: string): (body: unknown) => Token {
  const pointers = [form.accessToken, form.expiresIn].map(compilePointer)
  const refreshTokenOf = readRefreshToken(form)
  const named = form.baseUrl && compilePointer(form.baseUrl.at)
  return (body) => {
    const [accessToken, seconds] = pointers.map((read) => read(body))
    const { data } = headerText.safeParse(accessToken)
    if (data === undefined) throw refusal('must be a token', pointerParts(form.accessToken))
    const lifetime = readNumber(seconds)
    return {
      accessToken: data,
      lifetimeMs: lifetime === null || lifetime <= 0 ? form.defaultLifetimeMs : Math.min(lifetime, 86_400) * 1_000,
      refreshToken: refreshTokenOf(body),
      baseUrl: named && form.baseUrl ? otherBaseUrl(textOf(named(body)), from, form.baseUrl) : null,
    }
  }
}

function readRefreshToken(form: OAuthForm): (body: unknown) => string | null {
  const read = compilePointer(form.newRefreshToken)
  return (body) => (form.grant === 'refreshToken' && form.rotates !== false ? textOf(read(body)) : null)
}

/**
 * Returns the origin that the answer names for all further requests. Returns null if it is the one that was asked.
 * @throws {z.ZodError} for one that is none of the vendor's: the token would go there.
 */
function otherBaseUrl(
  text: string | null,
  from: string,
  { at, hosts }: NonNullable<OAuthForm['baseUrl']>,
): string | null {
  if (text === null) return null
  const [url, base] = [URL.parse(text), new URL(from)]
  if (url?.origin === base.origin) return null
  const isVendors = url && (url.hostname === base.hostname || hosts.some((suffix) => url.hostname.endsWith(suffix)))
  const isSecure = url?.protocol === 'https:' || (url?.protocol === 'http:' && base.protocol === 'http:')
  if (!isVendors || !isSecure || url.username !== '' || url.password !== '')
    throw refusal('must be a URL of the connection’s host, or of a host that the document names', pointerParts(at))
  return url.origin
}
