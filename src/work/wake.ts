// Owns asking for a tick now, because something has just become due. A lost call costs half a second.
import type { Log } from '../base/log.ts'
import type { Queues } from '../queue/queues.ts'
import type { WorkName } from './kind.ts'

/** Asks for a tick of these kinds. Returns at once. The tick happens soon, in whichever process takes it. */
export interface Wake {
  (due: Iterable<WorkName>): void
  /** The listener learns at once which kinds are due, because owners served in this process need no tick. */
  listen(listener: (kind: WorkName) => void): void
}

/** All kinds, for changes after which each may have something due. */
export const everyKind: readonly WorkName[] = ['poll', 'collect', 'deliver']

/** Calls within this many milliseconds make one tick. */
const gatherMs = 10

export function createWake({ queues, log }: { queues: Pick<Queues, 'all'>; log: Log }): Wake {
  const listeners: ((kind: WorkName) => void)[] = []
  const gathering = new Set<WorkName>()
  const wake = (due: Iterable<WorkName>) => {
    for (const kind of due) {
      for (const listener of listeners) listener(kind)
      if (gathering.has(kind)) continue
      gathering.add(kind)
      setTimeout(() => {
        gathering.delete(kind)
        // Without a job id, because a running job may have looked already.
        queues.all.dispatch.add(kind, { kind }).catch((error: unknown) => log.debug({ err: error, kind }, 'wake lost'))
      }, gatherMs).unref()
    }
  }
  return Object.assign(wake, { listen: (listener: (kind: WorkName) => void) => void listeners.push(listener) })
}
