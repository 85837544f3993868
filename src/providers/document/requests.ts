// Owns turning the requests of a document into functions: each placeholder is written as its place needs it.
import type { ProviderRequest } from '../contract.ts'
import { jobPath } from '../job-id.ts'
import { credentialsIn } from './check.ts'
import { authsOf, type ProviderDocument } from './document.ts'
import { compileCondition, type Scope } from './evaluate.ts'
import type { AuthForm } from './forms/access.ts'
import type { RequestForm } from './forms/common.ts'
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

export function templateOf(text: string): Template {
  const template = parseTemplate(text)
  if (template === null) throw new TypeError('A document has a template that nobody has checked.')
  return template
}

function compilePath(document: ProviderDocument, path: RequestForm['path']): (input: TemplateInput) => string {
  if (typeof path === 'string') return compileOnePath(document, path)
  const paths = path.map(({ when, path }) => ({
    holds: when && compileCondition(when),
    write: compileOnePath(document, path),
  }))
  return (input) => {
    const scope: Scope = { body: null, status: 200, headers: {}, settings: input.settings, state: 'unmapped' }
    return paths.find(({ holds }) => holds?.(scope) ?? true)?.write(input) ?? ''
  }
}

function compileOnePath(document: ProviderDocument, text: string): (input: TemplateInput) => string {
  const template = templateOf(text)
  const { kind } = document.job
  return (input) =>
    fill(template, input, (written, from) => {
      if (from.kind === 'job') return jobPath(kind, written, input.baseUrl)
      return ['path', 'segments'].includes(document.settings[from.name]?.kind ?? '')
        ? written
        : encodeURIComponent(written)
    }) ?? ''
}

/** Texts by name. A text whose value isn't there is left out. */
export function compileTexts(
  texts: Readonly<Record<string, string>> = {},
): (input: TemplateInput) => Record<string, string> {
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

export function basic(user: string, password: string): string {
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

export function isGiven(names: readonly string[], { credentials }: TemplateInput): boolean {
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
