// Owns telling a lock timeout from all other errors of a statement.
import { DatabaseError } from 'pg'

/** Looks into errors that wrap others, as Drizzle's do. */
export function isLockTimeout(error: unknown): boolean {
  if (error instanceof DatabaseError) return error.code === '55P03' // lock_not_available
  return error instanceof Error && isLockTimeout(error.cause)
}
