// Owns which volatile fields a connection may be given.
import { z } from 'zod'
import { pointerPattern } from '../base/json-pointer.ts'

export const volatileFieldsSchema = z
  .array(z.string().max(500).regex(pointerPattern, 'must be a JSON Pointer, such as /result/generatedAt'))
  .max(50)
  .describe(
    'JSON Pointers of fields that move with the time alone: in the bodies of answers they make no snapshot a new one. `-` stands for every element of an array.',
  )
