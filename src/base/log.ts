// Owns the logger: one wide JSON line per unit of work. Callers never pass secrets in; the redaction here is the second
// safeguard.
import { pino } from 'pino'

export type Log = pino.Logger

export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const

export function createLog(level: (typeof logLevels)[number], destination?: pino.DestinationStream): Log {
  const secrets = ['authorization', 'credentials', 'apiKey', 'tokenResponse', 'secret', 'token', 'cookie', 'headers']
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { err: describeError },
      redact: { paths: [...secrets, ...secrets.map((name) => `*.${name}`)], censor: '[secret]' },
    },
    destination ?? pino.destination({ sync: false, minLength: 1 }), // without a minimum `flush` waits for nothing
  )
}

/** Leaves out what libraries attach to their errors: connections, commands and their arguments. */
function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return String(error)
  const { name, message, stack, cause } = error
  const code = 'code' in error ? String(error.code) : undefined
  return { type: name, message, code, stack, ...(cause !== undefined && { cause: describeError(cause) }) }
}
