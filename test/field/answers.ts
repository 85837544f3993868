// Owns what each vendor answers to an import in the plainest case, for rows that are the same at all of them.
import type { ProviderName } from '../../src/sandbox/script.ts'
import type { Answers } from './play.ts'

export const providers: readonly ProviderName[] = ['cdq', 'micro', 'zilliant', 'fullstory']

type Answer = Answers[number]

/** A job that goes on. */
export const running = {
  cdq: { status: 'RUNNING', progress: 10 },
  micro: { status: 'processing', total: 10, processed: 1 },
  zilliant: { status: 'RUNNING' },
  fullstory: { job: { status: 'PROCESSING' } },
} satisfies Record<ProviderName, Answer['body']>

const statistics = { numberOfInserts: 10, numberOfUpdates: 0, numberOfFailed: 0, skipped: [] }

/** A job that ended well, in each vendor's status. */
export const done = {
  cdq: { status: 'FINISHED', progress: 100, result: { statistics } },
  micro: { status: 'complete', total: 1, processed: 1, succeeded: 1, failed: 0, results: [{ id: 'a' }] },
  zilliant: { status: 'SUCCEEDED' },
  fullstory: { imports: 10, job: { status: 'COMPLETED' } },
} satisfies Record<ProviderName, Answer['body']>

/** Zilliant's report of a job that ended well. */
export const report: Answer = { on: 'summary', body: { status: 'SUCCESS', processedRows: 10 } }

/** The status of a job that ends well after so long, from the first request on. */
export function endingWell(provider: ProviderName, afterMs = 3_000): Answers {
  return [{ body: running[provider] }, { afterMs, body: done[provider] }, ...(provider === 'zilliant' ? [report] : [])]
}

/** As `endingWell`, with something in the way at some requests. */
export function butAt(provider: ProviderName, request: number | string, answer: Omit<Answer, 'request'>): Answers {
  return [...endingWell(provider), { ...answer, request }]
}

/** The answer with more in it, wherever that provider keeps its fields. */
export function withFields(provider: ProviderName, answer: object, fields: object): Record<string, never> {
  const plain = answer as Record<string, object>
  const inside = provider === 'fullstory' ? { ...plain, job: { ...plain.job, ...fields } } : { ...plain, ...fields }
  return JSON.parse(JSON.stringify(inside))
}

/** Which of its fields says when the job was made or began. */
export const timeField = {
  cdq: { field: 'createdAt', shown: 'providerCreatedAt' },
  micro: { field: 'created_at', shown: 'providerCreatedAt' },
  zilliant: { field: 'startDate', shown: 'providerStartedAt' },
  fullstory: { field: 'created', shown: 'providerCreatedAt' },
} as const
