// Owns the form of a registration, alone and in a batch.
import { z } from 'zod'
import type { AppError } from '../../api/refusal.ts'
import { tryParseKept } from '../../api/validation.ts'
import { sizeOfJson } from '../../base/json.ts'
import { importSchema } from '../../imports/present.ts'
import { longestJobId } from '../../providers/job-id.ts'
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
      .max(longestJobId)
      .nullish()
      .describe('The provider’s id of the job, mostly of at most 500 characters. May be absent if `result` is given.'),
    metadata: metadata.optional().describe('Your own data. Stored with the import and sent with its webhooks.'),
    deadlineMs: deadlineMs.optional().describe('How long to poll at most. Absent: the connection’s deadline.'),
    result: z
      .record(z.string(), z.unknown())
      .optional()
      .describe('The provider’s answer, if it came inline (micro). It is recorded as a poll’s would be.'),
  })
  .meta({ id: 'RegisterImport' })

export type RegistrationInput = z.infer<typeof registrationSchema>

export const patchImportSchema = z
  .strictObject({
    metadata: metadata.optional().describe('Replaces all metadata.'),
    deadlineMs: deadlineMs
      .optional()
      .describe('How long to poll at most, counted from the registration or the last resume.'),
  })
  .meta({ id: 'PatchImport' })

/** Items are read one by one, so that a wrong item refuses only itself. The document shows their schema. */
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

/** Returns each item as a registration, or the reason why it isn't one. */
export function readBatch(items: readonly unknown[]): (RegistrationInput | AppError)[] {
  return items.map((item) => tryParseKept(registrationSchema, item, 'import'))
}
