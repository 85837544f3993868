// Owns the repeatable jobs that tick, and that they are there: losing all queue data loses them too.
import type { Log } from '../log.ts'
import type { Queues } from '../queue/queues.ts'
import type { TickKind } from './tick.ts'

/**
 * How often what is due is looked for, in milliseconds; a nudge comes in between. What is old is deleted at night (UTC).
 */
const repeat: Record<TickKind, { every: number } | { pattern: string; tz: 'UTC' }> = {
  poll: { every: 500 },
  collect: { every: 1_000 },
  deliver: { every: 500 },
  'roll-up': { every: 60_000 },
  maintain: { pattern: '0 17 3 * * *', tz: 'UTC' },
}
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
  // Nights may have been missed.
  await queues.all.dispatch.add('maintain', { kind: 'maintain' }, { jobId: 'maintain-at-start' })
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

async function upsertTicks({ all: { dispatch } }: Pick<Queues, 'all'>): Promise<void> {
  for (const kind of Object.keys(repeat) as TickKind[]) {
    const id = `tick-${kind}`
    if (await isTooFarOff(dispatch, id, kind)) await dispatch.removeJobScheduler(id)
    await dispatch.upsertJobScheduler(id, repeat[kind], {
      name: kind,
      data: { kind },
      opts: { removeOnComplete: true, removeOnFail: true, telemetry: { omitContext: true } },
    })
  }
}

/** A process whose clock was ahead has said so, and making it again would keep its time. The queue's time is the system's. */
async function isTooFarOff(dispatch: Queues['all']['dispatch'], id: string, kind: TickKind): Promise<boolean> {
  const next = (await dispatch.getJobScheduler(id))?.next
  const interval = repeat[kind]
  const longestMs = 'every' in interval ? interval.every + silenceMs : 25 * 3_600_000
  return typeof next === 'number' && next > Date.now() + longestMs
}
