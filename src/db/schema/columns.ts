// Owns the column kinds that every table uses alike.
import { timestamp, uuid } from 'drizzle-orm/pg-core'
import { newId } from '../../base/ids.ts'

/** A primary key: UUIDv7, made here rather than by Postgres, so that it is known before the insert. */
export const id = () => uuid('id').primaryKey().$defaultFn(newId)

/** A moment, `timestamptz` to the millisecond, which is what a JavaScript Date can say. */
export const time = (name: string) => timestamp(name, { withTimezone: true, precision: 3 })
