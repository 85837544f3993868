// Owns what Prometheus sees. Labels are names of providers and outcomes, never an id, a URL or a secret.
import { setTimeout as delay } from 'node:timers/promises'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { Queues } from '../queue/queues.ts'
import type { WorkWatch } from '../work/watch.ts'

const seconds = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300]

export interface Metrics {
  registry: Registry
  /** Adds a gauge of how far this machine's clock is ahead of the database's. */
  clock(clock: { aheadMs(): number }): void
  /** Adds gauges of a worker's watch. */
  watch(watch: Pick<WorkWatch, 'tickAges' | 'lateness'>): void
  polled(poll: { provider: string; outcome: string; latenessMs: number; durationMs: number }): void
  attempted(attempt: { outcome: string; durationMs: number; firstAttemptDelayMs: number | null }): void
}

export function createMetrics(queues: Pick<Queues, 'all'>): Metrics {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
  const polls = new Counter({
    name: 'import_tracker_polls_total',
    help: 'Status calls, by provider and outcome (unchanged, changed, lost, or the kind of error).',
    labelNames: ['provider', 'outcome'],
    registers,
  })
  const lateness = new Histogram({
    name: 'import_tracker_poll_lateness_seconds',
    help: 'From the time that a poll was due to its start.',
    labelNames: ['provider'],
    buckets: seconds,
    registers,
  })
  const pollDuration = new Histogram({
    name: 'import_tracker_poll_duration_seconds',
    help: 'From the start of a poll to its answer.',
    labelNames: ['provider'],
    buckets: seconds,
    registers,
  })
  const deliveries = new Counter({
    name: 'import_tracker_delivery_attempts_total',
    help: 'Attempts to deliver a webhook, by outcome.',
    labelNames: ['outcome'],
    registers,
  })
  const deliveryDuration = new Histogram({
    name: 'import_tracker_delivery_duration_seconds',
    help: 'From the start of an attempt to its outcome.',
    buckets: seconds,
    registers,
  })
  const firstAttempt = new Histogram({
    name: 'import_tracker_first_attempt_delay_seconds',
    help: 'From an event to the first attempt to deliver it.',
    buckets: seconds,
    registers,
  })
  measureQueues(queues, registers)

  return {
    registry,
    clock: ({ aheadMs }) => {
      new Gauge({
        name: 'import_tracker_clock_ahead_seconds',
        help: "How far this machine's clock is ahead of the database's, which is used; 0 within a second.",
        registers,
        collect() {
          this.set(aheadMs() / 1_000)
        },
      })
    },
    watch: (watch) => measureWatch(watch, registers),
    polled({ provider, outcome, latenessMs, durationMs }) {
      polls.inc({ provider, outcome })
      lateness.observe({ provider }, latenessMs / 1_000)
      pollDuration.observe({ provider }, durationMs / 1_000)
    },
    attempted({ outcome, durationMs, firstAttemptDelayMs }) {
      deliveries.inc({ outcome })
      deliveryDuration.observe(durationMs / 1_000)
      if (firstAttemptDelayMs !== null) firstAttempt.observe(firstAttemptDelayMs / 1_000)
    },
  }
}

/** How long a scrape waits for the queue. Later, it answers without the queue's metrics. */
const queueAnswersWithinMs = 2_000

/** If the queue doesn't answer in time, its metrics are left out, and `queue_up` says so. */
function measureQueues(queues: Pick<Queues, 'all'>, registers: Registry[]): void {
  let reading: ReturnType<typeof readQueues> | null = null
  const read = () => {
    reading ??= readQueues(queues).finally(() => {
      reading = null
    })
    return reading // one reading for all metrics of a scrape
  }
  new Gauge({
    name: 'import_tracker_queue_up',
    help: '1: the store of the queue answered in time; 0: it did not, and what it would have told is left out.',
    registers,
    async collect() {
      this.set((await read()) === null ? 0 : 1)
    },
  })
  new Gauge({
    name: 'import_tracker_queue_jobs',
    help: 'Jobs in the queue, by queue and state.',
    labelNames: ['queue', 'state'],
    registers,
    async collect() {
      this.reset()
      for (const { queue, counts } of (await read()) ?? [])
        for (const [state, count] of Object.entries(counts)) this.set({ queue, state }, count)
    },
  })
  new Gauge({
    name: 'import_tracker_queue_paused',
    help: '1: the queue is paused, so that nothing in it is begun; by queue.',
    labelNames: ['queue'],
    registers,
    async collect() {
      this.reset()
      for (const { queue, isPaused } of (await read()) ?? []) this.set({ queue }, isPaused ? 1 : 0)
    },
  })
}

interface QueueReading {
  queue: string
  counts: Record<string, number>
  isPaused: boolean
}

/** Returns null if the queue doesn't answer in time. */
function readQueues({ all }: Pick<Queues, 'all'>): Promise<QueueReading[] | null> {
  const readings = Object.entries(all).map(async ([name, queue]) => {
    const [counts, isPaused] = await Promise.all([queue.getJobCounts('waiting', 'active', 'delayed'), queue.isPaused()])
    return { queue: name, counts, isPaused }
  })
  return Promise.race([Promise.all(readings).catch(() => null), delay(queueAnswersWithinMs, null, { ref: false })])
}

function measureWatch({ tickAges, lateness }: Pick<WorkWatch, 'tickAges' | 'lateness'>, registers: Registry[]): void {
  new Gauge({
    name: 'import_tracker_tick_age_seconds',
    help: 'Since a tick last got through in this process, by kind.',
    labelNames: ['kind'],
    registers,
    collect() {
      for (const [kind, ms] of Object.entries(tickAges())) this.set({ kind }, ms / 1_000)
    },
  })
  new Gauge({
    name: 'import_tracker_oldest_due_seconds',
    help: 'How late the oldest work is that may begin now, by kind; looked at every ten seconds.',
    labelNames: ['kind'],
    registers,
    collect() {
      for (const [kind, ms] of Object.entries(lateness())) this.set({ kind }, ms / 1_000)
    },
  })
}
