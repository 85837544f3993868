// Owns asking for a tick now, because something has just become due. A nudge that is lost costs half a second.
import type { Log } from '../base/log.ts'
import type { Queues } from '../queue/queues.ts'
import type { WorkKind } from './ticks.ts'

/** Each returns at once; the tick happens soon, in whichever process takes it. */
export type Nudge = Record<WorkKind, () => void>

/** Nudges within this many milliseconds are one. */
const gatherMs = 10

export function createNudge({ queues, log }: { queues: Pick<Queues, 'all'>; log: Log }): Nudge {
  const gathering = new Set<WorkKind>()
  const nudge = (kind: WorkKind) => () => {
    if (gathering.has(kind)) return
    gathering.add(kind)
    setTimeout(() => {
      gathering.delete(kind)
      // Without a job id: one that is being worked on may have looked already.
      queues.all.dispatch.add(kind, { kind }).catch((error: unknown) => log.debug({ err: error, kind }, 'nudge lost'))
    }, gatherMs).unref()
  }
  return { poll: nudge('poll'), collect: nudge('collect'), deliver: nudge('deliver') }
}

/** Something may be due now of each kind. */
export function wakeAll(nudge: Nudge): void {
  nudge.poll()
  nudge.collect()
  nudge.deliver()
}
