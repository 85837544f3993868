// Owns telling that a lock was not to be had in time from everything else that can go wrong with a statement.
import { DatabaseError } from 'pg'

/** What wraps errors, as Drizzle does, is looked into. */
export function isLockTimeout(error: unknown): boolean {
  if (error instanceof DatabaseError) return error.code === '55P03' // lock_not_available
  return error instanceof Error && isLockTimeout(error.cause)
}
