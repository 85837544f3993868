// Owns which imports of a connection are of one kind: those alike in the metadata that its `baselineBy` names. Pure.
import { createHash } from 'node:crypto'

/** All imports of a connection. */
export const everyImport = ''
/** A kind of which fewer imports have ended is taken to be like the whole connection. */
export const leastOfKind = 2
const longest = 200

/**
 * Returns the kind of an import with this metadata. Returns {@link everyImport} if the connection tells no kinds apart, or
 * the metadata has none of the keys.
 */
export function kindOf(baselineBy: readonly string[], metadata: Readonly<Record<string, unknown>> | null): string {
  if (metadata === null || !baselineBy.some((key) => Object.hasOwn(metadata, key))) return everyImport
  const values = baselineBy.map((key) => [key, Object.hasOwn(metadata, key) ? metadata[key] : null])
  const text = JSON.stringify(values)
  return text.length <= longest ? text : createHash('sha256').update(text).digest('base64url')
}
