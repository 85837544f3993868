// Owns how the command line shows a failure: lines that say what to do, without a stack.
import { ConfigError } from '../config/config.ts'
import { reasonOf } from '../config/requirement.ts'

/** Prints the failure. LOG_LEVEL=debug adds the stack of an unexpected error. */
export function reportFailure(error: unknown, environment: Record<string, string | undefined>): void {
  console.error(failureText(error))
  if (environment.LOG_LEVEL === 'debug' && !(error instanceof ConfigError)) console.error(error)
}

/** Returns one line for each wrong variable of a configuration, and one line for any other error. */
export function failureText(error: unknown): string {
  if (error instanceof ConfigError) return error.message
  return reasonOf(error)
}
