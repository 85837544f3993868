// Owns ids and names as parts of a path.

/** @throws {TypeError} for what would make the path another one: nothing, and the dots that stand for folders. @internal */
export function segment(value: unknown): string {
  if (typeof value !== 'string' || /^\.{0,2}$/.test(value))
    throw new TypeError('An id, or a name, must be a text that isn’t empty, “.” or “..”.')
  return encodeURIComponent(value)
}
