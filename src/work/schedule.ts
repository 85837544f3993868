// Owns the repeatable jobs that tick: that each exists and is due in time, and that no queue is paused. It checks the
// queue itself every few seconds, because ticks that somebody asked for say nothing about it.
import { setTimeout as delay } from 'node:timers/promises'
import type { Log } from '../base/log.ts'
import type { Queues } from '../queue/queues.ts'
import type { TickKind } from './ticks.ts'

/**
 * How often due work is looked for, in milliseconds. Calls to `wake` come in between. Old data is deleted at night
 * (UTC).
 */
const repeat: Record<TickKind, { every: number } | { pattern: string; tz: 'UTC' }> = {
  poll: { every: 500 },
  collect: { every: 1_000 },
  deliver: { every: 500 },
  'roll-up': { every: 60_000 },
  maintain: { pattern: '0 17 3 * * *', tz: 'UTC' },
}
export const tickKinds = Object.keys(repeat) as TickKind[]
/** How often to check the jobs and queues, in milliseconds. */
const lookEveryMs = 3_000
/** A tick that has been due for longer than this was lost with its job. */
const lateMs = 3_000

export interface Scheduler {
  stop(): void
}

type Store = Pick<Queues, 'all'>

/** Makes the repeatable jobs, and then restores whatever is removed, paused or put off. */
export async function startScheduler({ queues, log }: { queues: Store; log: Log }): Promise<Scheduler> {
  const stopping = new AbortController()
  await putInPlace(queues, log, { isStart: true })
  // The process may have missed nights.
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
    // A first start finds no ticks. Any other start finds ticks that nobody has taken since the last stop.
    if (!isStart || trouble === 'put_off') log.warn({ kind, trouble }, 'a tick is put back in place')
    if (trouble !== 'absent') await dispatch.removeJobScheduler(id) // an upsert would keep the old time
    await dispatch.upsertJobScheduler(id, repeat[kind], {
      name: kind,
      data: { kind },
      opts: { removeOnComplete: true, removeOnFail: true, telemetry: { omitContext: true } },
    })
  }
}

/** Returns the queues that somebody has paused. No job in them begins. */
export async function pausedQueues({ all }: Store): Promise<(keyof Queues['all'])[]> {
  const names = Object.keys(all) as (keyof Queues['all'])[]
  const paused = await Promise.all(names.map((name) => all[name].isPaused()))
  return names.filter((_, index) => paused[index])
}

/**
 * - `absent`: there is no repeatable job.
 * - `put_off`: a process with a fast clock has put it off.
 * - `lost`: its next job is missing, or nobody has taken it in time.
 */
export type TickTrouble = 'absent' | 'put_off' | 'lost'

/** Returns the trouble of the repeatable jobs, by kind. The queue goes by the system's time. */
export async function troubledTicks({ all: { dispatch } }: Store): Promise<Map<TickKind, TickTrouble>> {
  const troubled = new Map<TickKind, TickTrouble>()
  for (const kind of tickKinds) {
    const next = (await dispatch.getJobScheduler(idOf(kind)))?.next
    const now = Date.now()
    if (typeof next !== 'number') troubled.set(kind, 'absent')
    else if (next > now + longestMs(kind)) troubled.set(kind, 'put_off')
    else if (next < now - lateMs) troubled.set(kind, 'lost')
    // A job that is due so soon may just be taken.
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
