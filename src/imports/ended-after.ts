// Owns the imports that ended after a moment, in the order of their registration, the oldest first. Of those that were
// registered before the moment, only their duration tells whether they ended after it. So each class of durations is read
// by itself: it begins where an import of that class can have ended after the moment at the earliest.
import { type SQL, sql } from 'drizzle-orm'

/** A class is a power of two in seconds: class 3 takes from 8 to 16 s. The last one takes 68 years. */
const lastClass = 31

/** Returns the classes as rows, and the condition that an import is of one of them, by the index `imports_ran_class`. */
export function endedAfter(moment: Date): { by: 'duration'; values: SQL; is: SQL } {
  return {
    by: 'duration',
    values: sql`generate_series(0, ${lastClass}::int)`,
    is: sql`i.finished_at IS NOT NULL
      AND (floor(ln(greatest(extract(epoch from i.finished_at - i.registered_at)::float8, 1)) / ln(2::float8))::int) = part.value
      AND i.registered_at >= ${moment}::timestamptz - interval '1 s' * 2 ^ (part.value + 1)`,
  }
}
