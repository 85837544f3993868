// Owns what makes no change in the bodies of a connection's answers: its provider's fields and its own.
import { z } from 'zod'
import { pointerPattern } from '../base/json-pointer.ts'
import { findProvider } from '../providers/index.ts'
import type { ConnectionRow } from './present.ts'

export const volatileFieldsSchema = z
  .array(z.string().max(500).regex(pointerPattern, 'must be a JSON Pointer, such as /result/generatedAt'))
  .max(50)
  .describe(
    'JSON Pointers of fields that move with the time alone: in the bodies of answers they make no snapshot a new one. `-` stands for every element of an array.',
  )

/** JSON Pointers, the provider's and the connection's own. */
export function volatileFieldsOf({ provider, volatileFields }: Pick<ConnectionRow, 'provider' | 'volatileFields'>) {
  return [...findProvider(provider).volatileFields, ...volatileFields]
}
