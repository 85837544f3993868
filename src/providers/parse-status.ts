// Owns how strict a status answer is read: a count that can't be read, such as -1 for "not known yet", is unknown while
// the import runs. In the answer that ends it, it could decide between succeeded and partial, and so fails the answer.
import type { z } from 'zod'
import { isObject, isUnreadableCount } from './fields.ts'

/**
 * @param isOver whether what was read says that the import is over.
 * @throws {z.ZodError}
 */
export function parseStatus<Status>(
  schema: z.ZodType<Status>,
  body: unknown,
  isOver: (status: Status) => boolean,
): Status {
  const parsed = schema.safeParse(body)
  if (parsed.success) return parsed.data
  const { issues } = parsed.error
  if (!issues.every(isUnreadableCount)) throw parsed.error
  const status = schema.parse(issues.reduce<unknown>((value, { path }) => blanked(value, path), body))
  if (isOver(status)) throw parsed.error
  return status
}

/** The value with null at the path. */
function blanked(value: unknown, [key, ...rest]: readonly PropertyKey[]): unknown {
  if (key === undefined) return null
  return isObject(value) ? { ...value, [key]: blanked(value[String(key)], rest) } : value
}
