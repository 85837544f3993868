// Owns saying which variable is to blame where a start fails at what it names, and for what reason.
import { ConfigError } from './config.ts'

/**
 * Takes a step of the start that depends on what a variable names.
 * @param demand what the variable must be, beginning with its name.
 * @throws {ConfigError} the demand and the reason, where the step fails.
 */
export async function demanding<Result>(demand: string, step: () => Promise<Result>): Promise<Result> {
  try {
    return await step()
  } catch (error) {
    if (error instanceof ConfigError) throw error // it says it already
    throw new ConfigError(`${demand}: ${reasonOf(error).replace(/\.$/, '')}.`)
  }
}

/** What failed at the bottom, in a line: "permission denied for schema public", not the query that wanted it. */
export function reasonOf(error: unknown): string {
  const [line = ''] = rootMessage(error).split('\n')
  return line
}

function rootMessage(error: unknown): string {
  if (error instanceof Error && error.cause instanceof Error) return rootMessage(error.cause)
  // What Node throws where a name has several addresses, and none of them answers.
  if (error instanceof AggregateError && error.message === '') return rootMessage(error.errors[0])
  if (error instanceof Error) return error.message === '' ? error.name : error.message
  return String(error)
}
