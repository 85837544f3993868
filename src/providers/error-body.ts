// Owns the plain form of errors: `{code, message}`. FullStory and micro.so's rows publish it; of error answers
// micro.so and Zilliant publish no form, so reading theirs like this, also inside `error`, is an inference.
import { z } from 'zod'
import { text } from './fields.ts'

export interface PlainError {
  code: string | null
  message: string | null
}

const codeAndMessage = z.object({ code: text, message: text })

/** A field that holds an error, which may be just its message. Null where it says nothing. */
export const plainError = z.union([
  codeAndMessage.transform(saying),
  text.transform((message): PlainError | null => (message === null ? null : { code: null, message })),
])

/** What an error answer says; null where it says nothing. */
export function readPlainError(body: unknown): PlainError | null {
  const outer = codeAndMessage.extend({ error: plainError }).safeParse(body).data
  return outer ? (outer.error ?? saying(outer)) : null
}

function saying({ code, message }: PlainError): PlainError | null {
  return code === null && message === null ? null : { code, message }
}
