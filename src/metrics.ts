// Owns what Prometheus can see. Labels are names of providers and outcomes: never an id, a URL or a secret.
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { Queues } from './queue/queues.ts'

const seconds = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300]

export interface Metrics {
  registry: Registry
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
  new Gauge({
    name: 'import_tracker_queue_jobs',
    help: 'Jobs in the queue, by queue and state.',
    labelNames: ['queue', 'state'],
    registers,
    async collect() {
      for (const [name, queue] of Object.entries(queues.all)) {
        const counts = await queue.getJobCounts('waiting', 'active', 'delayed')
        for (const [state, count] of Object.entries(counts)) this.set({ queue: name, state }, count)
      }
    },
  })

  return {
    registry,
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
