// Owns the form of lists of rows: with the status, in pages of their own, and in files.
import { z } from 'zod'
import { byType, condition, value } from '../expressions.ts'
import { plainPointer, requestSchema } from './common.ts'
import { outcomeSchema } from './report.ts'

const pageSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('cursor'), next: value, param: z.string().min(1).max(100) }),
  z.strictObject({ kind: z.literal('link'), next: value, param: z.string().min(1).max(100) }),
  z
    .strictObject({
      kind: z.literal('page'),
      param: z.string().min(1).max(100),
      start: z.number().int().min(0).max(1).default(1),
      /** How many pages there are. Absent: the first empty page is the end. */
      total: value.optional(),
      /** Says so in a word. */
      stop: z.enum(['empty', 'total']).optional(),
    })
    .refine(({ stop, total }) => stop === undefined || (stop === 'total') === (total !== undefined), {
      path: ['stop'],
      error: 'must be "total" beside total, and else "empty"',
    }),
  z.strictObject({
    kind: z.literal('offset'),
    param: z.string().min(1).max(100),
    /** A page with fewer rows is the last one. Absent: an empty one is. */
    size: z.number().int().min(1).max(100_000).optional(),
  }),
  z.strictObject({ kind: z.literal('none') }),
])
export type PageForm = z.output<typeof pageSchema>

const rowSchema = z
  .strictObject({
    recordId: value,
    created: value,
    existing: value,
    line: value,
    column: value,
    code: value,
    message: value,
    /** The row itself, if the provider repeats it. */
    item: value,
  })
  .partial()

const rowsOfAnyList = {
  /** Of the status answer. Absent: of every job that is over. */
  when: condition.optional(),
  /** What the list is of. Skipped lines have a line and a column. */
  of: z.enum(['rowResults', 'skippedLines']).default('rowResults'),
  row: rowSchema,
  /** Of a row. Absent: all rows of the list have failed. */
  failedWhen: condition.optional(),
  /** How many rows the whole list has. */
  announced: value.optional(),
}
export type RowsForm = z.output<z.ZodObject<typeof rowsOfAnyList>>

const rowList = {
  ...rowsOfAnyList,
  /** The list. */
  rows: plainPointer,
}

const delimiter = z.string().regex(/^(?:\t|[ !#-~])$/, 'must be one character other than a double quote')

const columnName = z.string().min(1).max(200)

const csvSchema = z.strictObject({
  kind: z.literal('csv'),
  /** Of a list, the first one by which the header has all columns of `needs`. Or a word of the status for it. */
  delimiter: byType(delimiter, () =>
    z.union([
      z.array(delimiter).min(1).max(6),
      z.strictObject({ from: value, map: z.record(z.string().trim().min(1).max(100), delimiter) }),
    ]),
  ).default(','),
  /** True: the first line has the names of the columns. Otherwise a row is a list. */
  header: z.boolean().default(true),
  /** Columns that there have to be. Of a list, one. */
  needs: z.array(byType(columnName, () => z.array(columnName).min(1).max(5))).default([]),
})

type FormatForm = z.output<typeof csvSchema> | 'jsonl' | 'json'

const formatSchema = byType(z.enum(['csv', 'jsonl', 'json']), () => csvSchema).transform(
  (given): FormatForm => (given === 'csv' ? csvSchema.parse({ kind: 'csv' }) : given),
)

const hostName = z
  .string()
  .max(260)
  .regex(
    /^(\*?\.)?[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*(:[1-9][0-9]{0,4})?$/,
    'must be a host’s name, or "*." and the end of one, with a port or without',
  )
  .refine((name) => !/^\*?\.[^.]*$/.test(name), 'must have more than one part behind the first dot')

const fileLimits = z.strictObject({
  bytes: z
    .number()
    .int()
    .min(1)
    .max(64 * 1_073_741_824)
    .default(2 * 1_073_741_824),
  records: z.number().int().min(1).max(1_000_000_000).default(20_000_000),
  recordLength: z
    .number()
    .int()
    .min(1)
    .max(16 * 1_048_576)
    .default(4 * 1_048_576),
})

const fileSchema = z
  .strictObject({
    kind: z.literal('file'),
    ...rowsOfAnyList,
    /** Where it is, in the status answer. No file is there where it has no value. */
    url: value.optional(),
    /** Where `url` may lead, besides the base URL. A host without a port has that of https. */
    hosts: z.array(hostName).max(20).default([]),
    /** Instead of `url`. */
    request: requestSchema.optional(),
    format: formatSchema,
    unpack: z.enum(['none', 'gzip', 'tarGz']).default('none'),
    /** Only the rows tell how the job ended. Values are read of `{rows, failed, succeeded}`, counts of what was read. */
    outcome: outcomeSchema.optional(),
    limits: fileLimits.default(() => fileLimits.parse({})),
  })
  .refine((given) => (given.url === undefined) !== (given.request === undefined), {
    path: ['url'],
    error: 'or request must be given, and not both',
  })
  .refine((given) => given.unpack !== 'tarGz' || given.format === 'json', {
    path: ['format'],
    error: 'must be json: an archive is of JSON files',
  })
export type FileDetailsForm = z.output<typeof fileSchema>

export const detailsSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('inline'), ...rowList }),
  z.strictObject({
    kind: z.literal('pages'),
    request: requestSchema,
    page: pageSchema,
    /** Of a page: it has no list, and is the last one. */
    emptyWhen: condition.optional(),
    ...rowList,
  }),
  fileSchema,
])
export type DetailsForm = z.output<typeof detailsSchema>
