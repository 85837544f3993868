// Owns naming the variable to blame, and the reason, when a step of the start fails.
import { ConfigError } from './config.ts'

/**
 * Runs a step of the start that depends on a variable's value.
 * @param demand what the variable must be, beginning with its name.
 * @throws {ConfigError} the demand and the reason, if the step fails.
 */
export async function demanding<Result>(demand: string, step: () => Promise<Result>): Promise<Result> {
  try {
    return await step()
  } catch (error) {
    if (error instanceof ConfigError) throw error // already names its variable
    throw new ConfigError(`${demand}: ${reasonOf(error).replace(/\.$/, '')}.`)
  }
}

/** Returns the root cause in one line: "permission denied for schema public", not the query that failed by it. */
export function reasonOf(error: unknown): string {
  const [line = ''] = rootMessage(error).split('\n')
  return line
}

function rootMessage(error: unknown): string {
  if (error instanceof Error && error.cause instanceof Error) return rootMessage(error.cause)
  // Node throws an AggregateError without a message if a name has several addresses and none of them answers.
  if (error instanceof AggregateError && error.message === '') return rootMessage(error.errors[0])
  if (error instanceof Error) return error.message === '' ? error.name : error.message
  return String(error)
}
