// Owns what a person sees of a failure on the command line: lines that say what to do, no stack.
import { ConfigError } from '../config/config.ts'
import { reasonOf } from '../config/requirement.ts'

/** Says what failed. The stack of an unexpected error is for LOG_LEVEL=debug. */
export function reportFailure(error: unknown, environment: Record<string, string | undefined>): void {
  console.error(failureText(error))
  if (environment.LOG_LEVEL === 'debug' && !(error instanceof ConfigError)) console.error(error)
}

/** A wrong configuration has a line a variable; any other error has one. */
export function failureText(error: unknown): string {
  if (error instanceof ConfigError) return error.message
  return reasonOf(error)
}
