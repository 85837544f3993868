// Owns selecting parts of JSON by JSON Pointers (RFC 6901). Here `-`, which RFC 6901 reserves for the element after the
// last one, stands for every element of an array.

/** JSON Pointers as a tree. A `chosen` node is selected with everything below it. */
export interface PointerTree {
  chosen: boolean
  below: Map<string, PointerTree>
}

/** A JSON Pointer as a pattern, for the API's documents: parts after slashes, with `~` only as `~0` or `~1`. */
export const pointerPattern = /^(?:\/(?:[^~/]|~[01])*)*$/

export function pointerTree(pointers: readonly string[]): PointerTree {
  const root = emptyTree()
  for (const pointer of pointers) {
    let node = root
    for (const part of pointer.split('/').slice(1)) {
      const key = part.replaceAll('~1', '/').replaceAll('~0', '~')
      const next = node.below.get(key) ?? emptyTree()
      node.below.set(key, next)
      node = next
    }
    node.chosen = true
  }
  return root
}

/** The pointer of a key below another pointer. */
export function pointerBelow(pointer: string, key: string): string {
  return `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`
}

/** Returns the subtree for an element of an array: the pointers to its index together with the pointers to `-`. */
export function elementOf(tree: PointerTree | undefined, index: number): PointerTree | undefined {
  const [one, each] = [tree?.below.get(String(index)), tree?.below.get('-')]
  if (!one || !each) return one ?? each
  return { chosen: one.chosen || each.chosen, below: new Map([...each.below, ...one.below]) }
}

function emptyTree(): PointerTree {
  return { chosen: false, below: new Map() }
}
