// Owns parts of JSON by their JSON Pointers (RFC 6901). `-`, which is no element of an array there, is each of them here.

/** Pointers as a tree: what a node is `chosen` of, is chosen whole. */
export interface PointerTree {
  chosen: boolean
  below: Map<string, PointerTree>
}

/** As a pattern, so that documents about the API can have it: parts after slashes, `~` only as `~0` or `~1`. */
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

/** What the tree says of an element of an array. */
export function elementOf(tree: PointerTree | undefined, index: number): PointerTree | undefined {
  const [one, each] = [tree?.below.get(String(index)), tree?.below.get('-')]
  if (!one || !each) return one ?? each
  return { chosen: one.chosen || each.chosen, below: new Map([...each.below, ...one.below]) }
}

function emptyTree(): PointerTree {
  return { chosen: false, below: new Map() }
}
