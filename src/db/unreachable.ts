// Owns telling a database that can't be reached or used now from all other errors of a statement.
import { DatabaseError } from 'pg'

/**
 * Returns true if the database is unreachable, restarting, or out of room or connections, so that the same may work
 * soon. Looks into errors that wrap others, as Drizzle's do.
 */
export function isDatabaseAway(error: unknown): boolean {
  // one error for each address of the host
  if (error instanceof AggregateError) return error.errors.some(isDatabaseAway)
  if (!(error instanceof Error)) return false
  return saysAway(error) || isDatabaseAway(error.cause)
}

/**
 * Returns true if the same transaction may succeed later: the database is unreachable, or other transactions were in
 * the way.
 */
export function mayPass(error: unknown): boolean {
  return isDatabaseAway(error) || isInTheWay(error)
}

function isInTheWay(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if (!(error instanceof DatabaseError)) return isInTheWay(error.cause)
  return passingStates.some((state) => state.test(error.code ?? ''))
}

const passingStates = [
  /^40/, // deadlock, or a serialization failure
  /^55P03$/, // a lock wasn't had in time
  /^57/, // a lock wasn't available in time
  /^58/, // an input or output error of its system
]

/** https://www.postgresql.org/docs/current/errcodes-appendix.html */
const awayStates = [
  /^08/, // connection exception
  /^57P0[1-3]$/, // shut down, crashed, or starting up
  /^25006$/, // read-only, as after a failover
  /^53/, // no room on the disk, out of memory, too many connections
]

const awayCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
])

/** pg and its pool give these errors no code and no class, so only their text identifies them. */
const awayTexts = new Set([
  'timeout exceeded when trying to connect',
  'timeout expired',
  'Connection terminated',
  'Connection terminated unexpectedly',
  'Connection terminated due to connection timeout',
  'Client has encountered a connection error and is not queryable',
  'Client was closed and is not queryable',
])

function saysAway(error: Error & { code?: unknown }): boolean {
  if (error instanceof DatabaseError) return awayStates.some((state) => state.test(error.code ?? ''))
  return awayCodes.has(String(error.code)) || awayTexts.has(error.message)
}
