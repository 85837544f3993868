// Owns reading a value at a JSON Pointer (RFC 6901), of own properties only: `constructor` and `__proto__` lead nowhere
// unless the answer itself has such a key. One part may be `*`, which stands for every element of a list or value of an object.
import { isObject } from '../fields.ts'

/** How many parts a pointer may have. */
export const maxPointerParts = 16

/** A prepared pointer. Returns undefined if there is nothing. A pointer with `*` returns the list of what it found. */
export type ReadPointer = (value: unknown) => unknown

export function pointerParts(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
}

/** Returns what is wrong with a pointer, to follow the name of its field. Returns null if nothing is. */
export function pointerProblem(pointer: string, { wildcards = 1 }: { wildcards?: number } = {}): string | null {
  if (!/^(?:\/(?:[^~/]|~[01])*)*$/.test(pointer))
    return 'must be a JSON Pointer, such as /data/status, or "" for the whole'
  const parts = pointerParts(pointer)
  if (parts.length > maxPointerParts) return `must have at most ${maxPointerParts} parts`
  return parts.filter((part) => part === '*').length > wildcards
    ? `must have ${wildcards === 0 ? 'no' : 'at most one'} part *`
    : null
}

export function compilePointer(pointer: string): ReadPointer {
  const read = compilePointerWithGaps(pointer)
  if (!pointerParts(pointer).includes('*')) return read
  return (value) => (read(value) as unknown[] | undefined)?.filter((found) => found !== undefined)
}

/** Of a pointer with `*`, an element that lacks it counts as undefined instead of being left out. */
export function compilePointerWithGaps(pointer: string): ReadPointer {
  const parts = pointerParts(pointer)
  const at = parts.indexOf('*')
  if (at === -1) return (value) => follow(value, parts)
  const [before, behind] = [parts.slice(0, at), parts.slice(at + 1)]
  return (value) => {
    const list = follow(value, before)
    const items = Array.isArray(list) ? list : isObject(list) ? Object.values(list) : undefined
    return items?.map((item) => follow(item, behind))
  }
}

function follow(value: unknown, parts: readonly string[]): unknown {
  let at = value
  for (const part of parts) {
    if (Array.isArray(at)) at = index.test(part) ? at[Number(part)] : undefined
    else at = isObject(at) && Object.hasOwn(at, part) ? at[part] : undefined
    if (at === undefined) return undefined
  }
  return at
}

const index = /^(?:0|[1-9]\d{0,8})$/
