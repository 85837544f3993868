// Owns sharing out what one process may begin among owners. Pure.

/**
 * Returns how many each owner gets: all that it wants, or as many as the others. If there isn't one for each, the first
 * owners get one.
 */
export function allot(owners: readonly { id: string; wanted: number }[], total: number): Map<string, number> {
  const allotted = new Map<string, number>()
  let left = total
  // Starts with the owner that wants least. The rest of its share goes to the others.
  const ordered = owners.toSorted((a, b) => a.wanted - b.wanted)
  ordered.forEach(({ id, wanted }, index) => {
    const share = Math.min(wanted, Math.ceil(Math.max(left, 0) / (ordered.length - index)))
    allotted.set(id, share)
    left -= share
  })
  return allotted
}
