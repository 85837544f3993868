// Owns the plain form of error answers: `{message, code}`, also inside `error`. FullStory publishes it;
// micro.so and Zilliant publish none, so reading theirs like this is an inference.
import { z } from 'zod'
import { text } from './fields.ts'

const fields = z.object({ code: text, message: text })
const plainForm = z.union([z.object({ error: fields }).transform(({ error }) => error), fields])

/** Null where the body says neither a code nor a message. */
export function readPlainError(body: unknown): { code: string | null; message: string | null } | null {
  const { data } = plainForm.safeParse(body)
  return data && (data.code !== null || data.message !== null) ? data : null
}
