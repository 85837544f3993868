// Owns the repeatable jobs that tick, and that they are there: losing all queue data loses them too.
import type { Log } from '../log.ts'
import type { Queues } from '../queue/queues.ts'
import type { WorkKind } from './tick.ts'

/** How often what is due is looked for, in milliseconds. A nudge comes in between. */
const everyMs: Record<WorkKind, number> = { poll: 500, collect: 1_000, deliver: 500 }
/** Without a tick for this long, the repeatable jobs are taken for lost and made again. */
const silenceMs = 3_000

export interface Scheduler {
  /** To be called at every tick. */
  ticked(): void
  stop(): void
}

/** Makes the repeatable jobs, and makes them again whenever the ticks fall silent. */
export async function startScheduler({ queues, log }: { queues: Pick<Queues, 'all'>; log: Log }): Promise<Scheduler> {
  let lastTick = performance.now()
  await upsertTicks(queues)
  const watch = setInterval(() => {
    if (performance.now() - lastTick < silenceMs) return
    lastTick = performance.now()
    upsertTicks(queues).catch((error: unknown) => log.warn({ err: error }, 'ticks could not be scheduled'))
  }, 1_000)
  return {
    ticked() {
      lastTick = performance.now()
    },
    stop: () => clearInterval(watch),
  }
}

async function upsertTicks(queues: Pick<Queues, 'all'>): Promise<void> {
  for (const kind of Object.keys(everyMs) as WorkKind[])
    await queues.all.dispatch.upsertJobScheduler(
      `tick-${kind}`,
      { every: everyMs[kind] },
      {
        name: kind,
        data: { kind },
        opts: { removeOnComplete: true, removeOnFail: true, telemetry: { omitContext: true } },
      },
    )
}
