// Owns a poll, a collection and a delivery that hang at the provider and at the receiver: what a worker holds when it
// is killed. All go on when they are asked for again.
import { expect, vi } from 'vitest'
import type { Consumer, Job, ServiceWorld } from '../support/worlds/service.ts'
import { status } from '../webhooks/receiver.ts'

const minute = 60_000

export interface HeldWork {
  polled: Job
  collected: Job
  delivered: Job
  consumer: Consumer
  /** When a worker has begun all three. */
  isHeld(): Promise<void>
  /** Lets them go on when they are asked for again, and the import be over. */
  letGo(): void
  /** The requests for an import at the sandbox. */
  requests(kind: 'status' | 'details', of: Job): ReturnType<ServiceWorld['sandbox']['requests']>
}

export async function holdWork(app: ServiceWorld): Promise<HeldWork> {
  const connection = await app.connect('cdq')
  const held = { kind: 'timeout' } as const
  const polled = await app.track(connection, {
    provider: 'cdq',
    durationMs: minute,
    faults: [{ ...held, atRequest: 2 }],
  })
  const collected = await app.track(connection, {
    provider: 'cdq',
    durationMs: 0,
    skippedLines: 60,
    pageSize: 10,
    faults: [{ ...held, on: 'details', atRequest: 3 }],
  })
  const announced = await app.connect('zilliant')
  const consumer = await app.consumer({ types: ['import.succeeded'], connections: [announced] }, () => {})
  const delivered = await app.track(announced, { provider: 'zilliant', durationMs: 0 })
  const requests: HeldWork['requests'] = (kind, { job }) =>
    app.sandbox.requests().filter((request) => request.kind === kind && request.jobId === job.jobId)

  return {
    polled,
    collected,
    delivered,
    consumer,
    requests,
    isHeld: () =>
      vi.waitFor(() => {
        expect(requests('status', polled).map((request) => request.status)).toEqual([200, null])
        expect(requests('details', collected).map((request) => request.status)).toEqual([200, 200, null])
        expect(consumer.receiver.received).toHaveLength(1)
      }, 10_000),
    letGo() {
      consumer.receiver.answer(status(204))
      app.sandboxClock.advance(minute)
    },
  }
}

/** What holds work: the kinds that are under a lease. */
export async function leases(app: ServiceWorld): Promise<string[]> {
  const rows = await app.sql('SELECT kind AS of FROM leases')
  return rows.map(({ of }) => String(of)).toSorted()
}
