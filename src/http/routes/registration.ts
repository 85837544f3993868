// Owns what a registration looks like, alone and in a batch.
import { z } from 'zod'
import type { AppError } from '../../api/refusal.ts'
import { tryParseKept } from '../../api/validation.ts'
import { sizeOfJson } from '../../base/json.ts'
import { importSchema } from '../../imports/present.ts'
import { maxJobIdLength } from '../../providers/job-id.ts'
import { problemSchema } from '../problem.ts'

const maxMetadataBytes = 16 * 1024
const tenYearsMs = 10 * 366 * 24 * 3_600_000

const metadata = z.record(z.string(), z.unknown()).refine((given) => sizeOfJson(given) <= maxMetadataBytes, {
  error: 'must be at most 16 KiB of JSON',
})
const deadlineMs = z.number().int().min(1).max(tenYearsMs)

export const registrationSchema = z
  .strictObject({
    connection: z.string().min(1).max(100).describe('The name of a connection.'),
    jobId: z
      .string()
      .min(1)
      .max(maxJobIdLength)
      .nullish()
      .describe('The provider’s id of the job. May be absent where `result` is given.'),
    metadata: metadata.optional().describe('Yours: kept with the import and sent with its webhooks.'),
    deadlineMs: deadlineMs.optional().describe('How long to go on asking; absent: the connection’s.'),
    result: z
      .record(z.string(), z.unknown())
      .optional()
      .describe('The provider’s answer, where it came inline (micro): it is recorded as a poll’s would be.'),
  })
  .meta({ id: 'RegisterImport' })

export type RegistrationInput = z.infer<typeof registrationSchema>

export const patchImportSchema = z
  .strictObject({
    metadata: metadata.optional().describe('Replaces all of it.'),
    deadlineMs: deadlineMs
      .optional()
      .describe('How long to go on asking, from the registration or the last resume on.'),
  })
  .meta({ id: 'PatchImport' })

/** The items are read one by one, so that a wrong one refuses only itself; the document shows what they have to be. */
export const batchSchema = z
  .strictObject({
    imports: z
      .array(z.unknown().meta({ override: { $ref: '#/components/schemas/RegisterImport' } }))
      .min(1)
      .max(1_000),
  })
  .meta({ id: 'RegisterImports' })

export const batchAnswerSchema = z.object({
  data: z.array(
    z.union([
      z.object({ status: z.number().int(), import: importSchema }),
      z.object({ status: z.number().int(), problem: problemSchema }),
    ]),
  ),
})

/** Each item as a registration, or why it isn't one. */
export function readBatch(items: readonly unknown[]): (RegistrationInput | AppError)[] {
  return items.map((item) => tryParseKept(registrationSchema, item, 'import'))
}
