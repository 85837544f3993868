// Owns the form of an example: a real answer, and some of what it has to mean.
import { z } from 'zod'
import { isRawNumber } from '../../../base/json.ts'
import { byType } from '../expressions.ts'
import { words } from './common.ts'

const answerSchema = z.strictObject({
  status: z.number().int().min(200).max(599).default(200),
  headers: z.record(z.string(), z.string()).default({}),
  body: z.unknown().optional(),
})
export type AnswerForm = z.output<typeof answerSchema>

const expected = z.record(z.string(), z.unknown()).refine((given) => !isRawNumber(given), 'must be an object')

/** A real answer, and some of what it has to mean. */
export const exampleSchema = z
  .strictObject({
    title: words.title.optional(),
    of: z.enum(['status', 'summary', 'details', 'file']).default('status'),
    /** Of a file: the status answer that names it, and which of the files that it names, from 0. */
    file: z.number().int().min(0).max(20).optional(),
    /** Of details: which of several lists of pages, from 0. */
    list: z.number().int().min(0).max(20).default(0),
    status: z.unknown().optional(),
    settings: z.record(z.string(), z.unknown()).optional(),
    answer: answerSchema,
    /** Of a status: keys of the report. Of a file: of the report after its rows were read. */
    report: expected.optional(),
    /** Of details, and of those that came with a status: `rowResults`, `skippedLines`, `next`. */
    details: expected.nullable().optional(),
    /** Of a status: where the next poll goes. */
    pollUrl: z.string().nullable().optional(),
    /** Of a status, or a summary: what a success lacks. */
    missing: z.string().nullable().optional(),
    /** Of a status: each file that it names, by some of `url`, `format`, `unpack`, `announced`. */
    files: z.array(expected).max(20).optional(),
    /** Of a status: which of the lists of pages the job has, from 0. */
    lists: z.array(z.number().int().min(0).max(20)).optional(),
    /** The kind of error that it is; or some of its kind, the vendor's own words, and the wait that it asks for. */
    error: byType(z.string(), () =>
      z.strictObject({
        kind: z.string(),
        code: z.string().nullable().optional(),
        message: z.string().nullable().optional(),
        retryAfterMs: z.number().int().nullable().optional(),
      }),
    ).optional(),
  })
  .refine((given) => given.of !== 'file' || given.status !== undefined, {
    path: ['status'],
    error: 'must be given: the status answer that names the file',
  })
  .refine(
    ({ report, details, pollUrl, missing, files, lists, error }) =>
      [report, details, pollUrl, missing, files, lists, error].some((given) => given !== undefined),
    { path: ['report'], error: 'is required' },
  )
export type ExampleForm = z.output<typeof exampleSchema>
