// Owns noticing that work which may begin isn't begun: what is due and has room, and what was claimed and waits in a
// queue that nobody works on.
import { sql } from 'drizzle-orm'
import type { Database } from '../db/client.ts'
import type { QueueName } from '../queue/jobs.ts'
import type { Queues } from '../queue/queues.ts'
import { type DueWork, longestDue } from './imports.ts'
import type { WorkKind } from './tick.ts'

/** How late work may be, in milliseconds, before something must be wrong. */
const overdueAfterMs = 60_000
/** The queues that each kind of work waits in. */
const queuesOf: Record<WorkKind, readonly QueueName[]> = {
  poll: ['poll'],
  collect: ['collect'],
  deliver: ['deliver', 'trial', 'retry'],
}
export const workKinds = Object.keys(queuesOf) as WorkKind[]

export interface OverdueWatch {
  /** Looks again. Call it every few seconds. */
  look(now: Date): Promise<void>
  /** By the last look: how late the oldest work is that may begin, in milliseconds. */
  lateness(): Record<WorkKind, number>
  /** The kinds of which a work that may begin was late at two looks: a claim takes the longest due first. */
  overdue(): WorkKind[]
}

export function createOverdueWatch({ db, queues }: { db: Database; queues: Pick<Queues, 'all'> }): OverdueWatch {
  let lateMs = inAll(0)
  let late = inAll<ReadonlySet<string>>(new Set())
  let overdue = inAll(false)

  return {
    async look(now) {
      const seen = { lateMs: inAll(0), late: inAll<ReadonlySet<string>>(new Set()), overdue: inAll(false) }
      for (const kind of workKinds) {
        const due = kind === 'deliver' ? await longestDueDeliveries(db, now) : await longestDue(db, now, kind)
        const work = [...due, ...(await longestWaiting(queues, kind))]
        const latenessOf = ({ dueAt }: DueWork) => now.getTime() - dueAt.getTime()
        const tooLate = work.filter((one) => latenessOf(one) >= overdueAfterMs).map(keyOf)
        seen.lateMs[kind] = Math.max(0, ...work.map(latenessOf))
        seen.late[kind] = new Set(tooLate)
        seen.overdue[kind] = tooLate.some((key) => late[kind].has(key))
      }
      ;({ lateMs, late, overdue } = seen)
    },
    lateness: () => lateMs,
    overdue: () => workKinds.filter((kind) => overdue[kind]),
  }
}

function inAll<Value>(value: Value): Record<WorkKind, Value> {
  return { poll: value, collect: value, deliver: value }
}

function keyOf({ id, dueAt }: DueWork): string {
  return `${id} ${dueAt.getTime()}`
}

/** By endpoint, of those that answer and have nothing under way: the others may have to wait for good reason. */
async function longestDueDeliveries(db: Database, now: Date): Promise<DueWork[]> {
  const longest = (isRetry: boolean) => sql`
    SELECT min(next_attempt_at) FROM deliveries
    WHERE endpoint_id = endpoint.id AND is_retry = ${isRetry} AND lease_until IS NULL AND next_attempt_at <= ${now}
      AND NOT manual_requested`
  const { rows } = await db.execute<{ id: string; dueAt: string | null }>(sql`
    SELECT id, least((${longest(false)}), (${longest(true)})) AS "dueAt" FROM webhook_endpoints endpoint
    WHERE deleted_at IS NULL AND disabled_at IS NULL AND failing_since IS NULL
      AND (blocked_until IS NULL OR blocked_until <= ${now})
      AND NOT EXISTS (SELECT 1 FROM deliveries WHERE endpoint_id = endpoint.id AND lease_until IS NOT NULL)`)
  return rows.flatMap(({ id, dueAt }) => (dueAt === null ? [] : [{ id, dueAt: new Date(dueAt) }]))
}

/** Claimed work that no worker has taken yet. */
async function longestWaiting({ all }: Pick<Queues, 'all'>, kind: WorkKind): Promise<DueWork[]> {
  const waiting = await Promise.all(queuesOf[kind].map((name) => all[name].getWaiting(0, 0)))
  return waiting.flat().flatMap((job) => (job?.id ? [{ id: job.id, dueAt: new Date(job.timestamp) }] : []))
}
