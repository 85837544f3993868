// Owns what an answer means for the whole connection: a 429 makes all of it wait, refused credentials pause it,
// and an answer shows that they work again.
import { after } from '../clock.ts'
import { blockConnection } from '../connections/block.ts'
import { pauseConnection, probeIntervalMs, resumeConnection } from '../connections/pause.ts'
import type { Target } from '../connections/targets.ts'
import type { Database } from '../db/client.ts'
import type { Nudge } from '../dispatch/nudge.ts'
import type { ProviderError } from '../providers/error.ts'

/** How long a 429 without `Retry-After` stops a connection. */
const bareRateLimitMs = 60_000

/** @param error null: the provider answered. */
export async function reactForConnection(
  { db, nudge }: { db: Database; nudge: Nudge },
  target: Target,
  error: ProviderError | null,
  now: Date,
): Promise<void> {
  const connectionId = target.id
  if (error === null) {
    if (target.pausedAt === null) return
    await db.transaction((tx) => resumeConnection(tx, { connectionId, now }))
    nudge.deliver()
    nudge.poll()
  } else if (error.kind === 'rate_limited') {
    await blockConnection(db, connectionId, after(now, error.retryAfterMs ?? bareRateLimitMs))
  } else if (error.kind === 'unauthorized') {
    const { updatedAt } = target
    const nextProbeAt = after(now, probeIntervalMs)
    await db.transaction((tx) => pauseConnection(tx, { connectionId, updatedAt, now, nextProbeAt }))
    nudge.deliver()
  }
}
