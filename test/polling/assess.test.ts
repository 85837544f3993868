import { describe, expect, test } from 'vitest'
import { fingerprintOf } from '../../src/imports/fingerprint.ts'
import type { TrackedImport } from '../../src/imports/tracked.ts'
import { type Assessment, assess } from '../../src/polling/assess.ts'
import type { AskedStatus } from '../../src/providers/ask.ts'
import { type Report, unknownRows } from '../../src/providers/contract.ts'
import { ProviderError, type ProviderErrorKind } from '../../src/providers/error.ts'

const now = new Date('2026-11-22T12:00:00Z')
const asked = {
  limits: { minIntervalMs: 2_000, maxIntervalMs: 120_000 },
  provider: { forgetsJobs: false, volatileFields: ['updatedAt'] },
}

const running: Report = {
  state: 'running',
  providerStatus: 'RUNNING',
  message: null,
  progress: 0.5,
  rows: unknownRows,
  createdAt: null,
  startedAt: null,
  finishedAt: null,
  expiresAt: null,
  body: { status: 'RUNNING', updatedAt: '12:00' },
}

const fresh: TrackedImport = {
  id: '0190b0a0-0000-7000-8000-000000000001',
  connectionId: '0190b0a0-0000-7000-8000-000000000002',
  jobId: 'job',
  state: 'pending',
  attention: null,
  attentionsTold: [],
  polls: 0,
  nextPollAt: now,
  pollLeaseUntil: now,
  registeredAt: new Date('2026-11-22T11:00:00Z'),
  deadlineAt: new Date('2026-11-29T11:00:00Z'),
  providerStartedAt: null,
  providerCreatedAt: null,
  providerExpiresAt: null,
  pollFailures: 0,
  notFoundPolls: 0,
  snapshotId: null,
  fingerprint: null,
  progressChanges: [],
}
const seen: TrackedImport = {
  ...fresh,
  state: 'running',
  polls: 4,
  fingerprint: fingerprintOf(running, asked.provider),
}

const answer = (report: Partial<Report>, more: Partial<AskedStatus> = {}) => ({
  kind: 'answer' as const,
  answer: {
    report: { ...running, ...report },
    details: null,
    retryAfterMs: null,
    date: null,
    requests: 1,
    summaryError: null,
    ...more,
  },
})
const failure = (kind: ProviderErrorKind, retryAfterMs: number | null = null) => ({
  kind: 'error' as const,
  error: new ProviderError(kind, 'It went wrong.', { retryAfterMs }),
})

describe('a report', () => {
  test('that is new changes the import', () => {
    expect(assess(fresh, asked, answer({}), now)).toMatchObject({ kind: 'changed', to: 'running', attention: null })
  })

  test('that says the same again, but for the time, is one more of the last one', () => {
    const again = answer({ body: { status: 'RUNNING', updatedAt: '12:05' } })
    expect(assess(seen, asked, again, now)).toMatchObject({ kind: 'unchanged', sameReport: true, pollFailures: 0 })
  })

  test('that says the same again after a resume makes the import running again', () => {
    expect(assess({ ...seen, state: 'pending' }, asked, answer({}), now)).toMatchObject({
      kind: 'changed',
      to: 'running',
    })
  })

  test('that is terminal ends the polling', () => {
    expect(assess(seen, asked, answer({ state: 'partial' }), now)).toMatchObject({
      kind: 'changed',
      to: 'partial',
      next: null,
    })
  })

  test('with an unmapped status keeps the state and asks for attention', () => {
    const assessed = assess(seen, asked, answer({ state: 'unmapped', providerStatus: 'EXPLODED' }), now)
    expect(assessed).toMatchObject({
      kind: 'changed',
      to: 'running',
      attention: 'unmapped_status',
      attentionEvent: 'import.attention',
      next: { basis: 'slow' },
    })
  })

  test('whose progress has stalled asks for attention, without a new snapshot', () => {
    const minutesAgo = (minutes: number) => now.getTime() - minutes * 60_000
    const stalled = {
      ...seen,
      progressChanges: [
        [minutesAgo(60), 0.3],
        [minutesAgo(59), 0.5],
      ] as [number, number][],
    }
    expect(assess(stalled, asked, answer({}), now)).toMatchObject({
      kind: 'unchanged',
      attention: 'stalled',
      attentionEvent: 'import.stalled',
    })
    const told = { ...stalled, attentionsTold: ['stalled'] }
    expect(assess(told, asked, answer({}), now)).toMatchObject({ attention: 'stalled', attentionEvent: null })
  })

  test('that asks for patience gets it', () => {
    const assessed = assess(seen, asked, answer({}, { retryAfterMs: 600_000 }), now) as Extract<
      Assessment,
      { kind: 'unchanged' }
    >
    expect(assessed.next.delayMs).toBeGreaterThanOrEqual(600_000)
  })

  test('after the deadline loses the import, unless it is terminal', () => {
    const late = { ...seen, deadlineAt: now }
    expect(assess(late, asked, answer({}), now)).toMatchObject({ kind: 'lost', reason: 'deadline' })
    expect(assess(late, asked, answer({ state: 'succeeded' }), now)).toMatchObject({ kind: 'changed', to: 'succeeded' })
  })
})

describe('a 404', () => {
  test('on an import never seen means that there is none', () => {
    expect(assess(fresh, asked, failure('not_found'), now)).toMatchObject({ kind: 'lost', reason: 'not_found' })
  })

  test('on one seen before is confirmed by two more polls', () => {
    const outcomes = [0, 1, 2].map(
      (notFoundPolls) => assess({ ...seen, notFoundPolls }, asked, failure('not_found'), now).kind,
    )
    expect(outcomes).toEqual(['unchanged', 'unchanged', 'lost'])
  })

  test('followed by an answer is forgotten', () => {
    expect(assess({ ...seen, notFoundPolls: 2 }, asked, answer({}), now)).toMatchObject({ notFoundPolls: 0 })
    expect(assess({ ...seen, notFoundPolls: 2 }, asked, failure('timeout'), now)).toMatchObject({ notFoundPolls: 0 })
  })

  test('of a provider that forgets its jobs means that it has expired', () => {
    const forgetful = { ...asked, provider: { ...asked.provider, forgetsJobs: true } }
    expect(assess({ ...seen, notFoundPolls: 2 }, forgetful, failure('not_found'), now)).toMatchObject({
      reason: 'expired',
    })
    expect(assess(fresh, forgetful, failure('not_found'), now)).toMatchObject({ reason: 'not_found' })
  })
})

describe('any other failure', () => {
  test.each([
    'timeout',
    'server_error',
    'invalid_response',
    'connection_reset',
    'bad_request',
    'rate_limited',
    'unauthorized',
  ] as const)('%s never ends an import', (kind) => {
    const assessed = assess({ ...seen, pollFailures: 99 }, asked, failure(kind), now)
    expect(assessed).toMatchObject({
      kind: 'unchanged',
      sameReport: false,
      pollFailures: 100,
      lastError: { code: kind },
    })
  })

  test('leaves what asks for attention as it was', () => {
    const odd = { ...seen, attention: 'unmapped_status' }
    expect(assess(odd, asked, failure('timeout'), now)).toMatchObject({
      attention: 'unmapped_status',
      attentionEvent: null,
    })
  })

  test('after the deadline says what kept us from knowing', () => {
    const late = { ...seen, deadlineAt: now }
    expect(assess(late, asked, failure('timeout'), now)).toMatchObject({ kind: 'lost', reason: 'deadline' })
    expect(assess(late, asked, failure('unauthorized'), now)).toMatchObject({ kind: 'lost', reason: 'unauthorized' })
  })
})
