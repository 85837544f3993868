// Owns asking for a tick now, because something has just become due. A call that is lost costs half a second.
import type { Log } from '../base/log.ts'
import type { Queues } from '../queue/queues.ts'
import type { WorkName } from './kind.ts'

/** Has somebody look what is due of these kinds. Returns at once; the tick happens soon, in whichever process takes it. */
export interface Wake {
  (due: Iterable<WorkName>): void
  /** The listener is told at once of what is due, since owners that are served in this process need no tick. */
  listen(listener: (kind: WorkName) => void): void
}

/** All kinds: something may be due of each. */
export const everyKind: readonly WorkName[] = ['poll', 'collect', 'deliver']

/** Calls within this many milliseconds are one tick. */
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
        // Without a job id: one that is being worked on may have looked already.
        queues.all.dispatch.add(kind, { kind }).catch((error: unknown) => log.debug({ err: error, kind }, 'wake lost'))
      }, gatherMs).unref()
    }
  }
  return Object.assign(wake, { listen: (listener: (kind: WorkName) => void) => void listeners.push(listener) })
}
