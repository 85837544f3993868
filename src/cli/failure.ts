// Owns what a person sees of a failure on the command line: lines that say what to do, no stack.
import { ConfigError } from '../config.ts'

/** Says what failed. The stack of an unexpected error is for LOG_LEVEL=debug. */
export function reportFailure(error: unknown, environment: Record<string, string | undefined>): void {
  console.error(failureText(error))
  if (environment.LOG_LEVEL === 'debug' && !(error instanceof ConfigError)) console.error(error)
}

/** A wrong configuration has a line a variable; any other error has one. */
export function failureText(error: unknown): string {
  if (error instanceof ConfigError) return error.message
  const [line = ''] = rootMessage(error).split('\n')
  return line
}

function rootMessage(error: unknown): string {
  // What failed at the bottom says more than what wanted it: "permission denied for schema public", not the query.
  if (error instanceof Error && error.cause instanceof Error) return rootMessage(error.cause)
  // What Node throws where a name has several addresses, and none of them answers.
  if (error instanceof AggregateError && error.message === '') return rootMessage(error.errors[0])
  if (error instanceof Error) return error.message === '' ? error.name : error.message
  return String(error)
}
