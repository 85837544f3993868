// Owns a command against a running service: connecting, its status, and how it shows a problem.
import { type Command, CommanderError } from 'commander'
import type { Client } from '../../packages/client/src/index.ts'
import { ProblemError } from '../../packages/client/src/problem-error.ts'
import { visibleText } from '../base/visible-text.ts'
import { type Account, findAccount, NotSignedInError, WrongUrlError } from './account.ts'
import { exitCodes } from './exit-code.ts'

export interface AtService {
  tracker: Client
  account: Account
  /** Aborts by Ctrl-C. */
  signal: AbortSignal
}

/**
 * Makes the command one against a running service.
 * @param act gets the command's arguments, then its options. What it returns is the status. Absent: 0.
 */
export function atService<Given extends unknown[]>(
  command: Command,
  act: (service: AtService, ...given: Given) => Promise<number | undefined>,
): Command {
  return command.option('--profile <name>', 'the service to ask, as login keeps it').action(async (...all) => {
    const given = all.slice(0, -1) as Given // the last is the command
    const { profile } = command.opts<{ profile?: string }>()
    await endingInStatus(async (signal) => {
      const account = await findAccount(process.env, profile)
      const { createClient } = await import('../../packages/client/src/index.ts')
      return act({ tracker: createClient(account), account, signal }, ...given)
    })
  })
}

/** Does the work, and sets the status. Problems are shown on stderr. */
export async function endingInStatus(work: (signal: AbortSignal) => Promise<number | undefined>): Promise<void> {
  const interrupted = new AbortController()
  const interrupt = () => {
    if (interrupted.signal.aborted) process.exit(exitCodes.interrupted) // the second Ctrl-C
    interrupted.abort()
  }
  process.on('SIGINT', interrupt)
  // The reader of the pipe, such as head(1), has closed it.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))
  try {
    process.exitCode = (await work(interrupted.signal)) ?? 0
  } catch (error) {
    if (!interrupted.signal.aborted && !(error instanceof CommanderError))
      for (const line of problemLines(error)) console.error(line)
    process.exitCode = interrupted.signal.aborted ? exitCodes.interrupted : statusOf(error)
  } finally {
    process.off('SIGINT', interrupt)
  }
}

/** Ends the process, which something that is still open would keep alive. */
export function exitWith(error: unknown): never {
  for (const line of problemLines(error)) console.error(line)
  process.exit(statusOf(error))
}

/** Commander has said what is wrong itself. */
function statusOf(error: unknown): number {
  if (error instanceof CommanderError || error instanceof WrongUrlError) return exitCodes.usage
  const isUnknown = error instanceof ProblemError && error.status === 401
  return isUnknown || error instanceof NotSignedInError ? exitCodes.notSignedIn : exitCodes.failure
}

/** The detail, the wrong fields, and what the service's log knows the request by. */
export function problemLines(error: unknown): string[] {
  if (!(error instanceof ProblemError)) return [visibleText(error instanceof Error ? error.message : String(error))]
  return [
    visibleText(error.code === 'unreachable' ? withReason(error) : error.message),
    ...error.errors.map(({ field, message }) => visibleText(`  ${field} ${message}`)),
    ...(error.requestId === null ? [] : [visibleText(`  request id: ${error.requestId}`)]),
  ]
}

/** The code of the socket's error lies below the error of `fetch`. */
function withReason(error: ProblemError): string {
  for (let cause: unknown = error.cause; cause instanceof Error; cause = cause.cause)
    if ('code' in cause && typeof cause.code === 'string') return `${error.message.replace(/\.$/, '')}: ${cause.code}.`
  return error.message
}
