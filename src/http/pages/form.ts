// Owns reading the forms that pages post, and what a form shows: what was typed, and what the API said of it.
import express, { type Request, type RequestHandler } from 'express'
import { AppError, invalid } from '../../api/refusal.ts'
import { requireStorable } from '../../api/validation.ts'

/** Reads the body of a form. Its fields are texts, or lists of texts where a name comes several times. */
export const readForm: RequestHandler = (request, response, next) => {
  // A body of another type would be read as a form whose fields are all blank, and blank fields clear what is stored.
  if (request.get('content-type') !== undefined && !request.is('application/x-www-form-urlencoded'))
    throw new AppError('invalid_request', 'The body must be a form: application/x-www-form-urlencoded.')
  readFields(request, response, next)
}

const readFields = express.urlencoded({ extended: false, limit: 131_072 })

export interface Form {
  /** Returns what a field holds. Empty: nothing. */
  value(name: string): string
  /** Returns what fields of one name hold, empty ones included. */
  values(name: string): readonly string[]
  /** Why it was refused. Null: it wasn't yet. */
  refusal: AppError | null
}

type Texts = Readonly<Record<string, string | readonly string[]>>

/** Returns a form that holds this. */
export function formOf(texts: Texts, refusal: AppError | null = null): Form {
  const values = (name: string): readonly string[] => {
    const value = Object.hasOwn(texts, name) ? texts[name] : undefined
    return value === undefined ? [] : typeof value === 'string' ? [value] : value
  }
  return { value: (name) => values(name)[0] ?? '', values, refusal }
}

/** Returns what was posted. */
export function postedForm(request: Request): Form & { refused(by: AppError): Form } {
  const texts = (request.body ?? {}) as Texts
  return { ...formOf(texts), refused: (by) => formOf(texts, by) }
}

/** Runs a verb with what was posted. Returns the refusal that the form is to show again; other failures are thrown. */
export async function tryForm<Value>(request: Request, verb: () => Promise<Value>): Promise<Value | AppError> {
  try {
    requireStorable(request.body ?? {})
    return await verb()
  } catch (error) {
    if (error instanceof AppError && (error.code === 'invalid_request' || error.code === 'conflict')) return error
    throw error
  }
}

/** Returns a field, trimmed. Empty: it is absent. */
export function fieldOf(request: Request, name: string): string {
  return postedForm(request).value(name).trim()
}

export function fieldsOf(request: Request, name: string): string[] {
  return postedForm(request)
    .values(name)
    .filter((one) => one !== '')
}

/** Browsers send line breaks as CR LF, whatever they were shown. */
export function textOfField(text: string): string {
  return text.replaceAll(/\r\n?/g, '\n')
}

/** Returns a stored value as a field shows it; numbers keep their digits. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
}

/** Returns the lines of a field that say something. */
export function linesOf(text: string): string[] {
  return text
    .split(/\r\n|\r|\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '')
}

/** Returns the items of a field, separated by commas or lines. */
export function itemsOf(text: string): string[] {
  return linesOf(text.replaceAll(',', '\n'))
}

/** Returns pairs that stand a line each: `team=sales`. @throws {AppError} `invalid_request` naming `field`. */
export function pairsOf(text: string, field: string): Record<string, string> {
  const pairs = linesOf(text).map((line) => {
    const at = line.indexOf('=')
    const key = line.slice(0, Math.max(at, 0)).trim()
    if (key === '') throw invalid(field, 'must have a key and a value on each line, such as team=sales')
    if (key === '__proto__') throw invalid(field, 'must not have the key __proto__, which can’t be kept')
    return [key, line.slice(at + 1).trim()] as const
  })
  const keys = new Set<string>()
  const twice = pairs.find(([key]) => keys.size === keys.add(key).size)
  if (twice) throw invalid(field, `must name each key once; ${twice[0]} is there twice`)
  return Object.fromEntries(pairs)
}
