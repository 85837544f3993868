// Owns sharing out what one process may begin among those who want some. Pure.

/** How many each gets: all that it wants, or else as many as the others; where that isn't even one, the first get one. */
export function allot(owners: readonly { id: string; wanted: number }[], total: number): Map<string, number> {
  const allotted = new Map<string, number>()
  let left = total
  // From the one that wants least: what it leaves of its share is the others'.
  const ordered = owners.toSorted((a, b) => a.wanted - b.wanted)
  ordered.forEach(({ id, wanted }, index) => {
    const share = Math.min(wanted, Math.ceil(Math.max(left, 0) / (ordered.length - index)))
    allotted.set(id, share)
    left -= share
  })
  return allotted
}
