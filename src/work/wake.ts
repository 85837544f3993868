// Owns asking for a tick now, because something has just become due. A call that is lost costs half a second.
import type { Log } from '../base/log.ts'
import type { Queues } from '../queue/queues.ts'
import type { WorkKind } from './ticks.ts'

/** Each returns at once; the tick happens soon, in whichever process takes it. */
export type Wake = Record<WorkKind, () => void>

/** Calls within this many milliseconds are one tick. */
const gatherMs = 10

export function createWake({ queues, log }: { queues: Pick<Queues, 'all'>; log: Log }): Wake {
  const gathering = new Set<WorkKind>()
  const wake = (kind: WorkKind) => () => {
    if (gathering.has(kind)) return
    gathering.add(kind)
    setTimeout(() => {
      gathering.delete(kind)
      // Without a job id: one that is being worked on may have looked already.
      queues.all.dispatch.add(kind, { kind }).catch((error: unknown) => log.debug({ err: error, kind }, 'wake lost'))
    }, gatherMs).unref()
  }
  return { poll: wake('poll'), collect: wake('collect'), deliver: wake('deliver') }
}

/** Something may be due now of each kind. */
export function wakeAll(wake: Wake): void {
  wake.poll()
  wake.collect()
  wake.deliver()
}
