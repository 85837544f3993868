// Owns reading the forms that pages post.
import express, { type Request, type RequestHandler } from 'express'

/** Reads the body of a form. Its fields are texts, or lists of texts where a name comes several times. */
export const readForm: RequestHandler = express.urlencoded({ extended: false, limit: 65_536 })

/** Returns a field, trimmed. Empty: it is absent. */
export function fieldOf(request: Request, name: string): string {
  const value = ((request.body ?? {}) as Record<string, unknown>)[name]
  return typeof value === 'string' ? value.trim() : ''
}

export function fieldsOf(request: Request, name: string): string[] {
  const value = ((request.body ?? {}) as Record<string, unknown>)[name]
  return (Array.isArray(value) ? value : [value]).filter((one): one is string => typeof one === 'string' && one !== '')
}
