// Owns which owners are quick: their items have ended quickly of late, as far as this process knows.

/** An item that takes longer than this, in milliseconds, is slow. */
const quickWithinMs = 1_000
/**
 * How long an owner counts as quick since an item of it ended quickly, in milliseconds: while items are under way, and
 * while none is.
 */
const quickForMs = { busy: 1_000, idle: 60_000 }
/** How many owners are remembered, to bound memory. */
const mostRemembered = 10_000

export interface QuickOwners {
  /** Notes that an item ended. Times are the process's uptime, in milliseconds. */
  noteEnd(ownerId: string, item: { startedAt: number; endedAt: number }): void
  isQuick(ownerId: string, owner: { isBusy: boolean; at: number }): boolean
}

export function createQuickOwners(): QuickOwners {
  const quickAt = new Map<string, number>() // the longest ago comes first
  return {
    noteEnd(ownerId, { startedAt, endedAt }) {
      if (endedAt - startedAt > quickWithinMs) return
      quickAt.delete(ownerId)
      quickAt.set(ownerId, endedAt)
      const [oldest] = quickAt.keys()
      if (oldest !== undefined && quickAt.size > mostRemembered) quickAt.delete(oldest)
    },
    isQuick(ownerId, { isBusy, at }) {
      const last = quickAt.get(ownerId)
      return last !== undefined && at - last < (isBusy ? quickForMs.busy : quickForMs.idle)
    },
  }
}
