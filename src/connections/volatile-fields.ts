// Owns the form of a connection's volatile fields.
import { z } from 'zod'
import { pointerPattern } from '../base/json-pointer.ts'

export const volatileFieldsSchema = z
  .array(z.string().max(500).regex(pointerPattern, 'must be a JSON Pointer, such as /result/generatedAt'))
  .max(50)
  .describe(
    'JSON Pointers of fields that change with time alone. Their changes make no new snapshot. `-` stands for every element of an array.',
  )
