// Owns how counts of rows are shown.
import { z } from 'zod'

const count = z.number().int().nullable()

export const rowsSchema = z
  .object({
    total: count,
    processed: count,
    succeeded: count,
    failed: count,
    inserted: count,
    updated: count,
    skipped: count,
  })
  .meta({
    id: 'Rows',
    description: 'Counts of rows as the provider reports them. Null is unknown, which differs from 0.',
  })
