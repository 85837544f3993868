// Owns parameters that many operations share. In a URL everything is text, so numbers are read from digits.
import { z } from 'zod'
import { defaultPageSize, maxPageSize } from '../api/paging.ts'
import { isId } from '../base/ids.ts'
import { storableText } from '../base/storable-text.ts'

/** `{id}` in a path. */
export const idParams = z.object({ id: z.string().refine(isId).meta({ description: 'A UUID.', format: 'uuid' }) })

/** `{name}` of a connection in a path. A name that Postgres couldn't compare becomes one that no connection has. */
export const nameParams = z.object({
  name: z.string().transform(storableText).meta({ description: 'The connection’s name.' }),
})

/** How long an answer may be held at most. */
export const maxWaitMs = 60_000

/** A whole number in a query. */
export function integerParam(min: number, max: number, description: string) {
  return z
    .string()
    .refine((text) => /^\d{1,15}$/.test(text) && Number(text) >= min && Number(text) <= max, {
      error: `must be a whole number from ${min} to ${max}`,
    })
    .transform(Number)
    .meta({ description, override: { type: 'integer', minimum: min, maximum: max } })
}

/** Yes or no in a query. */
export function booleanParam(description: string) {
  return z
    .enum(['true', 'false'], { error: 'must be true or false' })
    .transform((text) => text === 'true')
    .meta({
      description,
      override({ jsonSchema }) {
        jsonSchema.type = 'boolean'
        delete jsonSchema.enum // its texts
      },
    })
}

/** A moment in a query. */
export function timeParam(description: string) {
  return z.iso
    .datetime({
      offset: true,
      error:
        'must be a date and time as in ISO 8601, such as 2026-01-31T12:00:00Z or 2026-01-31T14:00:00%2B02:00 (a bare + is a space in a URL)',
    })
    .transform((text) => new Date(text))
    .refine(isStorableTime, { error: 'must be in the years 1 to 9999' })
    .meta({ description })
}

/** The query of every list. */
export const pageQuery = z.strictObject({
  limit: integerParam(1, maxPageSize, `How many items at most. Absent: ${defaultPageSize}.`)
    .optional()
    .transform((limit) => limit ?? defaultPageSize),
  after: z.string().max(1_000).optional().meta({ description: '`next` of the page before.' }),
})

/** Returns the schema of a page of a list. */
export function pageSchema<Item extends z.ZodType>(item: Item) {
  return z.object({ data: z.array(item), next: z.string().nullable().describe('Null: this was the last page.') })
}

/** An offset can lead out of the years of four digits, too. */
function isStorableTime(time: Date): boolean {
  const year = time.getUTCFullYear()
  return year >= 1 && year <= 9_999
}
