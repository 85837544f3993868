// Owns how large a document may be. Its size bounds what reading an answer costs, so it is known before anything else
// is looked at.
import { isRawNumber } from '../../base/json.ts'

export const maxDocumentBytes = 64 * 1_024
/** How many texts, numbers and flags, without those of the examples. */
export const maxDocumentValues = 200
const maxDepth = 32

export interface Problem {
  path: (string | number)[]
  message: string
}

/** Returns the first place where the document is too large or too deep, or has a key of all objects. Null: there is none. */
export function boundsProblem(document: unknown): Problem | null {
  if (typeof document !== 'object' || document === null || Array.isArray(document) || isRawNumber(document)) return null
  let values = 0
  // A stack of our own: a document could be nested more deeply than a function can call itself.
  const stack: { value: unknown; path: (string | number)[]; counts: boolean }[] = [
    { value: document, path: [], counts: true },
  ]
  for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
    const { value, path, counts } = at
    if (typeof value !== 'object' || value === null || isRawNumber(value)) {
      if (counts && ++values > maxDocumentValues)
        return { path: path.slice(0, 3), message: `must be within the document’s ${maxDocumentValues} values` }
      continue
    }
    if (path.length >= maxDepth)
      return { path: path.slice(0, 3), message: `must not nest more than ${maxDepth} levels deep` }
    const entries = Array.isArray(value) ? [...value.entries()] : Object.entries(value)
    // In the document's order: the last one is taken first.
    for (const [key, inner] of entries.reverse()) {
      // Lists by name would lose it without a word. An answer in an example may have any key.
      if (key === '__proto__' && counts) return { path: [...path, key], message: 'is not known' }
      stack.push({ value: inner, path: [...path, key], counts: counts && !(path.length === 0 && key === 'examples') })
    }
  }
  if (Buffer.byteLength(JSON.stringify(document)) > maxDocumentBytes)
    return {
      path: [largestPart(document as Record<string, unknown>)],
      message: `makes the document larger than its limit of ${maxDocumentBytes / 1_024} KiB`,
    }
  return null
}

function largestPart(document: Record<string, unknown>): string {
  const sizes = Object.entries(document).map(([key, value]) => ({ key, size: JSON.stringify(value).length }))
  return sizes.reduce((largest, next) => (next.size > largest.size ? next : largest)).key
}
