// Owns the texts of a document's requests: literal parts and placeholders, each written for the place where it stands.
// A placeholder never becomes part of a host, a secret never part of a path or query.
import { firstPage } from '../contract.ts'
import { compilePointer, pointerProblem } from './pointer.ts'

export interface TemplateInput {
  jobId: string
  credentials: Readonly<Record<string, unknown>>
  settings: Readonly<Record<string, unknown>>
  cursor: string
  /** Where the connection's requests go to. */
  baseUrl: string
  /** The access token. Absent: the way of signing in has none. */
  token?: string | undefined
}

export interface Placeholder {
  kind: 'job' | 'cursor' | 'token' | 'baseUrl' | 'credentials' | 'settings'
  /** Of a credential or setting. Otherwise "". */
  name: string
  /** A JSON Pointer into a credential that is JSON itself. Otherwise "". */
  at: string
}

/** Literal parts and placeholders, in their order. */
export type Template = (string | Placeholder)[]

const placeholder = /\{([^{}]*)\}/

/** Returns null if the text has braces that are no placeholder. */
export function parseTemplate(text: string): Template | null {
  const parts = text.split(placeholder)
  const template: Template = []
  for (const [index, part] of parts.entries()) {
    if (index % 2 === 1) {
      const read = parsePlaceholder(part)
      if (read === null) return null
      template.push(read)
    } else if (/[{}]/.test(part)) return null
    else if (part !== '') template.push(part)
  }
  return template
}

export function parsePlaceholder(text: string): Placeholder | null {
  if (text === 'job' || text === 'cursor' || text === 'token' || text === 'baseUrl')
    return { kind: text, name: '', at: '' }
  const [, kind, name, at = ''] = /^(credentials|settings)\.([A-Za-z][A-Za-z0-9_]{0,49})(\/.{0,200})?$/.exec(text) ?? []
  if (name === undefined || pointerProblem(at, { wildcards: 0 }) !== null) return null
  return { kind: kind as 'credentials' | 'settings', name, at }
}

/** A text of a JSON body is a placeholder only as a whole, so that nothing can be injected into GraphQL or JSON. */
export function wholePlaceholder(text: string): Placeholder | null {
  return text.startsWith('{') && text.endsWith('}') ? parsePlaceholder(text.slice(1, -1)) : null
}

/**
 * Returns the text with its placeholders filled in by `write`. Returns null if a value isn't there: an optional
 * setting, or the cursor of the first page.
 */
export function fill(
  template: Template,
  input: TemplateInput,
  write: (text: string, from: Placeholder) => string,
): string | null {
  let text = ''
  for (const part of template) {
    if (typeof part === 'string') text += part
    else {
      const found = filledBy(part, input)
      if (found === null) return null
      text += write(found, part)
    }
  }
  return text
}

export function filledBy({ kind, name, at }: Placeholder, input: TemplateInput): string | null {
  if (kind === 'job') return input.jobId
  if (kind === 'cursor') return input.cursor === firstPage ? null : input.cursor
  if (kind === 'token') return input.token ?? null
  if (kind === 'baseUrl') return input.baseUrl
  const from = input[kind]
  const given = Object.hasOwn(from, name) ? from[name] : undefined
  const found = at === '' ? given : inside(given, at)
  return typeof found === 'string' ? found : null
}

function inside(given: unknown, at: string): unknown {
  if (typeof given !== 'string') return undefined
  try {
    return compilePointer(at)(JSON.parse(given))
  } catch {
    return undefined // stored before it had to be JSON
  }
}
