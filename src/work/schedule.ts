// Owns the repeatable jobs that tick: that they are there, each of them, that they are due when they should be, and that
// no queue is paused. It looks at the queue itself every few seconds: ticks that somebody asked for say nothing of it.
import { setTimeout as delay } from 'node:timers/promises'
import type { Log } from '../base/log.ts'
import type { Queues } from '../queue/queues.ts'
import type { TickKind } from './ticks.ts'

/**
 * How often what is due is looked for, in milliseconds; a call to `wake` comes in between. What is old is deleted at night (UTC).
 */
const repeat: Record<TickKind, { every: number } | { pattern: string; tz: 'UTC' }> = {
  poll: { every: 500 },
  collect: { every: 1_000 },
  deliver: { every: 500 },
  'roll-up': { every: 60_000 },
  maintain: { pattern: '0 17 3 * * *', tz: 'UTC' },
}
export const tickKinds = Object.keys(repeat) as TickKind[]
/** How often it is looked whether all is in place, in milliseconds. */
const lookEveryMs = 3_000
/** A tick that is due for longer than this was lost with its job. */
const lateMs = 3_000

export interface Scheduler {
  stop(): void
}

type Store = Pick<Queues, 'all'>

/** Makes the repeatable jobs, and from then on puts back in place whatever is removed, paused or put off. */
export async function startScheduler({ queues, log }: { queues: Store; log: Log }): Promise<Scheduler> {
  const stopping = new AbortController()
  await putInPlace(queues, log, { isStart: true })
  // Nights may have been missed.
  await queues.all.dispatch.add('maintain', { kind: 'maintain' }, { jobId: 'maintain-at-start' })
  void keepInPlace(queues, log, stopping.signal)
  return { stop: () => stopping.abort() }
}

async function keepInPlace(queues: Store, log: Log, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await delay(lookEveryMs, undefined, { signal, ref: false }).catch(() => undefined)
    if (signal.aborted) return
    await putInPlace(queues, log).catch((error: unknown) => log.warn({ err: error }, 'ticks could not be scheduled'))
  }
}

async function putInPlace(queues: Store, log: Log, { isStart = false } = {}): Promise<void> {
  for (const name of await pausedQueues(queues)) {
    log.warn({ queue: name }, 'a queue was paused; it goes on')
    await queues.all[name].resume()
  }
  const { dispatch } = queues.all
  for (const [kind, trouble] of await troubledTicks(queues)) {
    const id = idOf(kind)
    // A first start finds none, and any other one finds those that nobody has taken since the last stop.
    if (!isStart || trouble === 'put_off') log.warn({ kind, trouble }, 'a tick is put back in place')
    if (trouble !== 'absent') await dispatch.removeJobScheduler(id) // making it again would keep its time
    await dispatch.upsertJobScheduler(id, repeat[kind], {
      name: kind,
      data: { kind },
      opts: { removeOnComplete: true, removeOnFail: true, telemetry: { omitContext: true } },
    })
  }
}

/** The queues that somebody has paused: nothing in them is begun. */
export async function pausedQueues({ all }: Store): Promise<(keyof Queues['all'])[]> {
  const names = Object.keys(all) as (keyof Queues['all'])[]
  const paused = await Promise.all(names.map((name) => all[name].isPaused()))
  return names.filter((_, index) => paused[index])
}

/**
 * - `absent`: there is no repeatable job.
 * - `put_off`: a process whose clock was ahead has put it off.
 * - `lost`: its next job isn't there, or nobody has taken it in time.
 */
export type TickTrouble = 'absent' | 'put_off' | 'lost'

/** What is wrong with the repeatable jobs, by kind. The queue's time is the system's. */
export async function troubledTicks({ all: { dispatch } }: Store): Promise<Map<TickKind, TickTrouble>> {
  const troubled = new Map<TickKind, TickTrouble>()
  for (const kind of tickKinds) {
    const next = (await dispatch.getJobScheduler(idOf(kind)))?.next
    const now = Date.now()
    if (typeof next !== 'number') troubled.set(kind, 'absent')
    else if (next > now + longestMs(kind)) troubled.set(kind, 'put_off')
    else if (next < now - lateMs) troubled.set(kind, 'lost')
    // What is due so soon may just be taken.
    else if (next > now + lateMs && !(await isJobThere(dispatch, kind))) troubled.set(kind, 'lost')
  }
  return troubled
}

async function isJobThere(dispatch: Store['all']['dispatch'], kind: TickKind): Promise<boolean> {
  return (await dispatch.getDelayed()).some(({ repeatJobKey }) => repeatJobKey === idOf(kind))
}

function longestMs(kind: TickKind): number {
  const interval = repeat[kind]
  return 'every' in interval ? interval.every + lateMs : 25 * 3_600_000
}

function idOf(kind: TickKind): string {
  return `tick-${kind}`
}
