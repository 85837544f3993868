// Owns how strict an answer is read: a count that can't be read, such as -1 for "not known yet", is unknown. While the
// import runs that is all. In the answer that ends it, it could decide between succeeded and partial, so it isn't whole.
import type { z } from 'zod'
import { isObject, isUnreadableCount } from './fields.ts'

export interface Parsed<Status> {
  /** With null for each count that can't be read. */
  status: Status
  /** Which counts those are, for people; null: none. They are something else than absent. */
  unreadable: string | null
}

/** @throws {z.ZodError} for anything but a count. */
export function parseStatus<Status>(schema: z.ZodType<Status>, body: unknown): Parsed<Status> {
  const parsed = schema.safeParse(body)
  if (parsed.success) return { status: parsed.data, unreadable: null }
  const { issues } = parsed.error
  if (!issues.every(isUnreadableCount)) throw parsed.error
  const status = schema.parse(issues.reduce<unknown>((value, { path }) => blanked(value, path), body))
  return { status, unreadable: `${issues.map(({ path, message }) => `${path.join('.')} ${message}`).join('; ')}.` }
}

/** The value with null at the path. */
function blanked(value: unknown, [key, ...rest]: readonly PropertyKey[]): unknown {
  if (key === undefined) return null
  return isObject(value) ? { ...value, [key]: blanked(value[String(key)], rest) } : value
}
