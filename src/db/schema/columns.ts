// Owns the kinds of columns that all tables share.
import { bigint, timestamp, uuid } from 'drizzle-orm/pg-core'
import { newId } from '../../base/ids.ts'

/** A primary key: UUIDv7. The service makes it, not Postgres, so that it is known before the insert. */
export const id = () => uuid('id').primaryKey().$defaultFn(newId)

/** A moment: `timestamptz` to the millisecond, like a JavaScript Date. */
export const time = (name: string) => timestamp(name, { withTimezone: true, precision: 3 })

/** A whole number that may be beyond 2³¹, such as a count or milliseconds. */
export const count = (name: string) => bigint(name, { mode: 'number' })
