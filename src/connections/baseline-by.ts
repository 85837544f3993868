// Owns the form of a connection's `baselineBy`.
import { z } from 'zod'

const mostKeys = 5

export const baselineBySchema = z
  .array(z.string().min(1).max(200))
  .max(mostKeys)
  .refine((keys) => new Set(keys).size === keys.length, { error: 'must name each key once' })
  .describe(
    'Keys of the metadata, for a connection with several kinds of imports: those with equal values are expected to take equally long. With none, or where too few of a kind have ended, all imports of the connection count.',
  )
