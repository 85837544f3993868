// Owns how strictly an answer is read. An unreadable count, such as -1 for "not known yet", is unknown, and so is what
// should be a list of rows and is none. In an answer that ends the import, it leaves the answer incomplete: it could
// decide between succeeded and partial.
import type { z } from 'zod'
import { isObject, isUnreadableField } from './fields.ts'

export interface Parsed<Status> {
  /** The status, with null for each unreadable count or list. */
  status: Status
  /** Names what is unreadable, for people. Null: nothing is. What is absent doesn't belong here. */
  unreadable: string | null
}

/** @throws {z.ZodError} if anything but a count or a list is unreadable. */
export function parseStatus<Status>(schema: z.ZodType<Status>, body: unknown): Parsed<Status> {
  const parsed = schema.safeParse(body)
  if (parsed.success) return { status: parsed.data, unreadable: null }
  const { issues } = parsed.error
  if (!issues.every(isUnreadableField)) throw parsed.error
  const status = schema.parse(issues.reduce<unknown>((value, { path }) => blanked(value, path), body))
  return { status, unreadable: `${issues.map(({ path, message }) => `${path.join('.')} ${message}`).join('; ')}.` }
}

/** Returns the value with null at the path. */
function blanked(value: unknown, [key, ...rest]: readonly PropertyKey[]): unknown {
  if (key === undefined) return null
  return isObject(value) ? { ...value, [key]: blanked(value[String(key)], rest) } : value
}
