// Owns the plain form of errors: `{code, message}`. FullStory and micro.so's rows publish it. micro.so and Zilliant
// publish no form for error answers; reading theirs like this, also inside `error`, is inferred.
import { z } from 'zod'
import { isObject, readText, text } from './fields.ts'

export interface PlainError {
  code: string | null
  message: string | null
}

const codeAndMessage = z.object({ code: text, message: text })

/** A field that `readError` reads. */
export const plainError = z.unknown().optional().transform(readError)

/** Reads an error, which may be only its message. Returns null if it says nothing. */
export function readError(value: unknown): PlainError | null {
  return saying(
    isObject(value)
      ? { code: readText(value.code), message: readText(value.message) }
      : { code: null, message: readText(value) },
  )
}

/** Reads an error answer. Returns null if it says nothing. */
export function readPlainError(body: unknown): PlainError | null {
  const outer = codeAndMessage.extend({ error: plainError }).safeParse(body).data
  return outer ? (outer.error ?? saying(outer)) : null
}

function saying({ code, message }: PlainError): PlainError | null {
  return code === null && message === null ? null : { code, message }
}
