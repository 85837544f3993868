// Owns turning the requests of a document into functions: each placeholder is written as its place needs it.
import { refusal } from '../body.ts'
import type { ProviderRequest, Token, TokenRequest } from '../contract.ts'
import { headerText } from '../credentials.ts'
import { readNumber } from '../fields.ts'
import { jobPath } from '../job-id.ts'
import { credentialsIn } from './check.ts'
import { type AuthForm, authsOf, type OAuthForm, type ProviderDocument, type RequestForm } from './document.ts'
import { textOf } from './evaluate.ts'
import { compilePointer, pointerParts } from './pointer.ts'
import { fill, filledBy, parseTemplate, type Template, type TemplateInput, wholePlaceholder } from './template.ts'

export type MakeRequest = (input: TemplateInput) => ProviderRequest

export function compileRequest(document: ProviderDocument, form: RequestForm): MakeRequest {
  const path = compilePath(document, form.path)
  const query = compileTexts(form.query)
  const headers = compileTexts(lowerCased({ ...document.headers, ...form.headers }))
  const auths = authsOf(document).map(compileAuth)
  const body = form.body === undefined ? null : compileBody(form.body)
  const method = form.method
  return (input) => {
    const sent = { ...headers(input), ...auths.find(({ names }) => isGiven(names, input))?.header(input) }
    return {
      method,
      path: path(input),
      query: query(input),
      headers: body ? { 'content-type': 'application/json', ...sent } : sent,
      ...(body && { body: JSON.stringify(body(input)) }),
    }
  }
}

function templateOf(text: string): Template {
  const template = parseTemplate(text)
  if (template === null) throw new TypeError('A document has a template that nobody has checked.')
  return template
}

function compilePath(document: ProviderDocument, text: string): (input: TemplateInput) => string {
  const template = templateOf(text)
  const { kind } = document.job
  return (input) =>
    fill(template, input, (written, from) => {
      if (from.kind === 'job') return jobPath(kind, written, input.baseUrl)
      return document.settings[from.name]?.kind === 'path' ? written : encodeURIComponent(written)
    }) ?? ''
}

/** Texts by name. A text whose value isn't there is left out. */
function compileTexts(texts: Readonly<Record<string, string>> = {}): (input: TemplateInput) => Record<string, string> {
  const templates = Object.entries(texts).map(([name, text]) => [name, templateOf(text)] as const)
  return (input) => {
    const filled: Record<string, string> = {}
    for (const [name, template] of templates) {
      const text = fill(template, input, (written) => written)
      if (text !== null) filled[name] = text
    }
    return filled
  }
}

function lowerCased(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, text]) => [name.toLowerCase(), text]))
}

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

function compileGrant(form: OAuthForm): (input: TemplateInput, refreshToken: string | null) => TokenRequest {
  const url = templateOf(form.tokenUrl)
  const texts = compileTexts({
    clientId: form.clientId,
    clientSecret: form.clientSecret,
    ...(form.refreshToken !== undefined && { refreshToken: form.refreshToken }),
  })
  const extra = compileTexts(form.extra)
  const read = readToken(form)
  const isRefresh = form.grant === 'refreshToken'
  return (input, refreshToken) => {
    const { clientId = '', clientSecret = '', refreshToken: first = '' } = texts(input)
    const isBasic = form.clientAuth === 'basic'
    return {
      url: new URL(fill(url, input, encodeURIComponent) ?? '', new URL(input.baseUrl).origin).href,
      headers: isBasic ? { authorization: basic(encodeURIComponent(clientId), encodeURIComponent(clientSecret)) } : {},
      form: {
        grant_type: isRefresh ? 'refresh_token' : 'client_credentials',
        ...(!isBasic && { client_id: clientId, client_secret: clientSecret }),
        ...(isRefresh && { refresh_token: refreshToken ?? first }),
        ...extra(input),
      },
      read,
    }
  }
}

function readToken(form: OAuthForm): (body: unknown) => Token {
  const pointers = [form.accessToken, form.expiresIn, form.newRefreshToken].map(compilePointer)
  return (body) => {
    const [accessToken, seconds, refreshToken] = pointers.map((read) => read(body))
    const { data } = headerText.safeParse(accessToken)
    if (data === undefined) throw refusal('must be a token', pointerParts(form.accessToken))
    const lifetime = readNumber(seconds)
    return {
      accessToken: data,
      lifetimeMs: lifetime === null || lifetime <= 0 ? form.defaultLifetimeMs : Math.min(lifetime, 86_400) * 1_000,
      refreshToken: form.grant === 'refreshToken' ? textOf(refreshToken) : null,
    }
  }
}

function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`, 'utf8').toString('base64')}`
}

interface Auth {
  /** The credentials that it needs. */
  names: readonly string[]
  header(input: TemplateInput): Record<string, string>
}

function compileAuth(auth: AuthForm): Auth {
  const names = credentialsIn(auth)
  switch (auth.kind) {
    case 'header':
      return { names, header: compileTexts({ [auth.name.toLowerCase()]: auth.value }) }
    case 'bearer':
      return { names, header: compileTexts({ authorization: `Bearer ${auth.token}` }) }
    case 'oauth2':
      return { names, header: compileTexts({ [auth.header.name.toLowerCase()]: auth.header.value }) }
    case 'basic': {
      const pair = compileTexts({ user: auth.user, password: auth.password })
      return {
        names,
        header(input) {
          const { user = '', password = '' } = pair(input)
          return { authorization: basic(user, password) }
        },
      }
    }
  }
}

function isGiven(names: readonly string[], { credentials }: TemplateInput): boolean {
  return names.every((name) => Object.hasOwn(credentials, name))
}

function compileBody(body: unknown): (input: TemplateInput) => unknown {
  if (typeof body === 'string') {
    const found = wholePlaceholder(body)
    return found ? (input) => filledBy(found, input) : () => body
  }
  if (Array.isArray(body)) {
    const items = body.map(compileBody)
    return (input) => items.map((item) => item(input))
  }
  // A number that keeps its digits has no keys of its own to fill in.
  if (typeof body !== 'object' || body === null || 'rawJSON' in body) return () => body
  const entries = Object.entries(body).map(([key, inner]) => [key, compileBody(inner)] as const)
  return (input) => Object.fromEntries(entries.map(([key, inner]) => [key, inner(input)]))
}
