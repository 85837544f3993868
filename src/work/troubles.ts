// Owns describing the queue's troubles in words, for people. Workers mend them, so lasting ones are news.
import { setTimeout as delay } from 'node:timers/promises'
import type { Queues } from '../queue/queues.ts'
import { pausedQueues, type TickTrouble, troubledTicks } from './schedule.ts'

const answersWithinMs = 2_000

const inWords: Record<TickTrouble, string> = {
  absent: 'is not there',
  put_off: 'was put off by a clock that is ahead',
  lost: 'is taken by nobody: is there a worker?',
}

/** Returns one sentence for each trouble. None: all is well. */
export async function describeTroubles(queues: Pick<Queues, 'all'>): Promise<string[]> {
  const told = await Promise.race([
    Promise.all([pausedQueues(queues), troubledTicks(queues)]).catch(() => null),
    delay(answersWithinMs, null, { ref: false }),
  ])
  if (told === null) return ['The store of the queue does not answer.']
  const [paused, ticks] = told
  return [
    ...paused.map((name) => `The queue ${name} is paused.`),
    ...[...ticks].map(([kind, trouble]) => `The tick ${kind} ${inWords[trouble]}.`),
  ]
}
