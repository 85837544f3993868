import { describe, expect, test } from 'vitest'
import { noBaseline } from '../../src/baselines/baseline.ts'
import type { StoredPollError } from '../../src/db/schema/index.ts'
import { fingerprintOf } from '../../src/imports/fingerprint.ts'
import { maxAwaitRowsMs } from '../../src/imports/outcome.ts'
import type { TrackedImport } from '../../src/imports/tracked.ts'
import { type Asked, type Assessment, assess } from '../../src/polling/assess.ts'
import type { AskedStatus } from '../../src/providers/ask.ts'
import { type Report, unknownRows } from '../../src/providers/contract.ts'
import { ProviderError, type ProviderErrorKind } from '../../src/providers/error.ts'

const now = new Date('2026-11-22T12:00:00Z')
const asked = {
  limits: { minIntervalMs: 2_000, maxIntervalMs: 120_000 },
  provider: { forgetsJobs: false },
  volatileFields: ['/updatedAt'],
  baseline: noBaseline,
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
  pollUrl: null,
  state: 'pending',
  attention: null,
  attentionsTold: [],
  polls: 0,
  dueAt: now,
  registeredAt: new Date('2026-11-22T11:00:00Z'),
  deadlineAt: new Date('2026-11-29T11:00:00Z'),
  providerStartedAt: null,
  providerCreatedAt: null,
  providerExpiresAt: null,
  failures: 0,
  notFounds: 0,
  notFoundSince: null,
  resumedAt: null,
  heldOutcome: null,
  hasError: false,
  isRefused: false,
  snapshotId: null,
  fingerprint: null,
  movingFields: null,
  progressChanges: [],
  seenAt: null,
  metadata: null,
}
const seen: TrackedImport = {
  ...fresh,
  state: 'running',
  polls: 4,
  fingerprint: fingerprintOf(running, asked),
}

const answer = (report: Partial<Report>, more: Partial<AskedStatus> = {}) => ({
  kind: 'answer' as const,
  answer: {
    report: { ...running, ...report },
    missing: null,
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

describe('an import that was resumed', () => {
  const day = 86_400_000
  const ago = (ms: number) => new Date(now.getTime() - ms)
  const next = (tracked: Partial<TrackedImport>, report: Partial<Report> = {}) => {
    const assessed = assess({ ...fresh, ...tracked }, asked, answer({ progress: null, ...report }), now)
    return assessed.kind === 'changed' ? assessed.next : null
  }

  test.each<[string, Partial<TrackedImport>, Partial<Report>]>([
    ['registered', {}, {}],
    ['begun by the provider', {}, { startedAt: ago(3 * day) }],
    ['made at the provider', { providerCreatedAt: ago(3 * day) }, {}],
  ])('is asked about as if it had begun then, though it was %s days ago', (_since, tracked, report) => {
    expect(next({ registeredAt: ago(3 * day), ...tracked }, report)?.delayMs).toBeGreaterThan(60_000)
    const resumed = next({ registeredAt: ago(3 * day), resumedAt: ago(2_000), ...tracked }, report)
    expect(resumed).toMatchObject({ basis: 'elapsed' })
    expect(resumed?.delayMs).toBeLessThan(5_000)
  })

  test('is asked about more seldom with the time since then', () => {
    const tracked = { registeredAt: ago(3 * day), resumedAt: ago(600_000) }
    expect(next(tracked)?.delayMs).toBeGreaterThan(40_000)
    expect(next({ ...tracked, providerStartedAt: ago(2_000) })?.delayMs).toBeLessThan(5_000)
  })
})

describe('a report', () => {
  test('that is new changes the import', () => {
    expect(assess(fresh, asked, answer({}), now)).toMatchObject({ kind: 'changed', to: 'running', attention: null })
  })

  test('that says the same again, but for the time, is one more of the last one', () => {
    const again = answer({ body: { status: 'RUNNING', updatedAt: '12:05' } })
    expect(assess(seen, asked, again, now)).toMatchObject({ kind: 'unchanged', sameReport: true, failures: 0 })
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

  test('whose next address isn’t asked says why, and counts', () => {
    const pollUrlProblem = 'The provider named an address for the next poll that is no URL.'
    const assessed = assess(seen, asked, answer({}, { pollUrl: null, pollUrlProblem }), now)
    const lastError = { code: 'invalid_response', message: pollUrlProblem, at: now.toISOString() }
    expect(assessed).toMatchObject({ kind: 'unchanged', sameReport: true, failures: 0, lastError })
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

  test('to an import that waits for its share of a budget asks for attention, until nothing is stretched any more', () => {
    const shownAt = (stretch: number, attention: 'budget' | null, limits = asked.limits) => {
      const assessed = assess({ ...seen, attention }, { ...asked, limits, stretch }, answer({}), now)
      return assessed.kind === 'unchanged' ? [assessed.attention, assessed.attentionEvent] : []
    }
    expect(shownAt(3, null)).toEqual(['budget', 'import.attention'])
    expect(shownAt(3, 'budget')).toEqual(['budget', null])
    expect(shownAt(1.1, null)).toEqual([null, null])
    expect(shownAt(1.1, 'budget')).toEqual(['budget', null])
    expect(shownAt(1, 'budget')).toEqual([null, null])
    // Nobody needs to look at a wait of some milliseconds.
    expect(shownAt(40, null, { minIntervalMs: 1, maxIntervalMs: 5 })).toEqual([null, null])
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
  const ago = (ms: number) => new Date(now.getTime() - ms)
  const hasty = { ...asked, limits: { minIntervalMs: 200, maxIntervalMs: 1_000 } }

  test.each([
    ['never seen', fresh],
    ['seen before', seen],
  ])('on an import %s is believed when three polls in a row say so', (_which, tracked) => {
    const outcomes = [0, 1, 2].map(
      (notFounds) => assess({ ...tracked, notFounds, notFoundSince: ago(100) }, hasty, failure('not_found'), now).kind,
    )
    expect(outcomes).toEqual(['unchanged', 'unchanged', 'lost'])
  })

  test.each([
    ['registered', { registeredAt: ago(59_000) }],
    ['resumed', { resumedAt: ago(59_000) }],
  ])('on an import just %s is believed after at least three over at least ten seconds', (_how, since) => {
    const young = { ...fresh, ...since }
    const kindOf = (notFounds: number, sinceMs: number) =>
      assess({ ...young, notFounds, notFoundSince: ago(sinceMs) }, hasty, failure('not_found'), now).kind
    expect(kindOf(0, 0)).toBe('unchanged')
    expect(kindOf(1, 30_000)).toBe('unchanged')
    expect(kindOf(2, 9_999)).toBe('unchanged')
    expect(kindOf(40, 9_999)).toBe('unchanged')
    expect(kindOf(2, 10_000)).toBe('lost')
  })

  test('on a young import is asked about again and again within a minute, whatever the intervals', () => {
    for (const limits of [
      { minIntervalMs: 40, maxIntervalMs: 300 },
      { minIntervalMs: 2_000, maxIntervalMs: 120_000 },
      { minIntervalMs: 10_000, maxIntervalMs: 3_600_000 },
    ]) {
      const registeredAt = now
      const { kind, at, asks } = playFailures({ ...fresh, registeredAt }, { ...asked, limits }, 'not_found')
      expect(kind).toBe('lost')
      expect(at).toBeGreaterThanOrEqual(10_000)
      expect(at).toBeLessThan(60_000)
      expect(asks).toBeLessThan(60)
    }
  })

  test('is a row of its own from the first one on', () => {
    const first = assess({ ...seen, notFoundSince: ago(3_600_000) }, asked, failure('not_found'), now)
    expect(first).toMatchObject({ notFounds: 1, notFoundSince: now })
    const second = assess({ ...seen, notFounds: 1, notFoundSince: ago(2_000) }, asked, failure('not_found'), now)
    expect(second).toMatchObject({ notFounds: 2, notFoundSince: ago(2_000) })
  })

  test('followed by anything else is forgotten', () => {
    const one = { ...seen, notFounds: 2, notFoundSince: now }
    const forgotten = { notFounds: 0, notFoundSince: null }
    expect(assess(one, asked, answer({}), now)).toMatchObject(forgotten)
    expect(assess(one, asked, failure('timeout'), now)).toMatchObject(forgotten)
  })

  test('of a provider that forgets its jobs means that it has expired', () => {
    const forgetful = { ...asked, provider: { ...asked.provider, forgetsJobs: true } }
    const third = { notFounds: 2, notFoundSince: ago(20_000) }
    const reason = (tracked: TrackedImport) => assess({ ...tracked, ...third }, forgetful, failure('not_found'), now)
    expect(reason(seen)).toMatchObject({ kind: 'lost', reason: 'expired' })
    expect(reason({ ...fresh, providerExpiresAt: now })).toMatchObject({ kind: 'lost', reason: 'expired' })
    expect(reason(fresh)).toMatchObject({ kind: 'lost', reason: 'not_found' })
    expect(assess(seen, forgetful, failure('not_found'), now)).toMatchObject({ kind: 'unchanged' })
  })
})

describe('an outcome that is not whole', () => {
  const done: Partial<Report> = { state: 'succeeded', providerStatus: 'DONE', progress: 1, body: { status: 'DONE' } }
  const lacking = (report: Partial<Report> = {}, more: Partial<AskedStatus> = {}) =>
    answer({ ...done, ...report }, { missing: 'its counts are missing.', ...more })
  const fingerprint = fingerprintOf({ ...running, ...done }, asked)
  const heldSince = (ms: number, outcome: object = {}): TrackedImport => ({
    ...seen,
    fingerprint,
    attention: 'outcome_incomplete',
    heldOutcome: {
      state: 'succeeded',
      since: new Date(now.getTime() - ms).toISOString(),
      asked: 2,
      hasDetails: false,
      ...outcome,
    },
  })

  test.each(['pending', 'queued', 'running'] as const)(
    'keeps an import running that was %s, and says what is missing',
    (state) => {
      expect(assess({ ...seen, state }, asked, lacking(), now)).toMatchObject({
        kind: 'changed',
        to: 'running',
        attention: 'outcome_incomplete',
        attentionEvent: 'import.attention',
        heldOutcome: { state: 'succeeded', since: now.toISOString(), asked: 0, hasDetails: false },
        lastError: {
          code: 'outcome_incomplete',
          message: "The provider says DONE, but its answer isn't whole: its counts are missing.",
        },
        next: { basis: 'backoff' },
      })
    },
  )

  test('is asked for again with the back-off, and told once', () => {
    expect(assess(heldSince(5_000), asked, lacking(), now)).toMatchObject({
      kind: 'unchanged',
      sameReport: true,
      attention: 'outcome_incomplete',
      attentionEvent: null,
      heldOutcome: { asked: 3, since: new Date(now.getTime() - 5_000).toISOString() },
      lastError: { code: 'outcome_incomplete' },
    })
  })

  test('that becomes whole is final at once', () => {
    expect(assess(heldSince(5_000), asked, answer({ ...done, state: 'partial' }), now)).toMatchObject({
      kind: 'changed',
      to: 'partial',
      attention: null,
      heldOutcome: null,
      lastError: null,
      next: null,
    })
  })

  test('that told of failed rows once is never taken for a success by an answer that lacks them', () => {
    const early = heldSince(5_000, { state: 'partial', hasDetails: true })
    expect(assess(early, asked, lacking({ state: 'succeeded' }), now)).toMatchObject({
      attention: 'outcome_incomplete',
      heldOutcome: { state: 'partial', hasDetails: true },
    })
    const late = heldSince(90_000, { state: 'partial', asked: 9 })
    expect(assess(late, asked, lacking({ state: 'succeeded' }), now)).toMatchObject({ to: 'partial' })
    expect(assess(late, asked, answer({ state: 'succeeded' }), now)).toMatchObject({ to: 'succeeded', lastError: null })
  })

  test.each(['partial', 'succeeded'] as const)('is held back where it would be %s', (state) => {
    expect(assess(seen, asked, lacking({ state }), now)).toMatchObject({ to: 'running', heldOutcome: { state } })
  })

  test.each(['failed', 'canceled'] as const)('is told at once where it is %s, and what it lacks stays', (state) => {
    expect(assess(seen, asked, lacking({ state }), now)).toMatchObject({
      kind: 'changed',
      to: state,
      heldOutcome: null,
      lastError: { code: 'outcome_incomplete' },
      next: null,
    })
  })

  test.each([
    ['200 ms to 1 s', { minIntervalMs: 200, maxIntervalMs: 1_000 }],
    ['2 s to 2 min', { minIntervalMs: 2_000, maxIntervalMs: 120_000 }],
    ['10 s to an hour', { minIntervalMs: 10_000, maxIntervalMs: 3_600_000 }],
    ['a minute to an hour', { minIntervalMs: 60_000, maxIntervalMs: 3_600_000 }],
    ['two minutes', { minIntervalMs: 120_000, maxIntervalMs: 120_000 }],
  ])('is asked for at least five times over a minute, and ten minutes at most: %s', (_intervals, limits) => {
    const hold = { ...asked, limits }
    let tracked = seen
    let at = now.getTime()
    const asks: number[] = []
    for (;;) {
      const assessed = assess(tracked, hold, lacking(), new Date(at))
      if (assessed.kind === 'changed' && assessed.next === null) {
        expect(assessed).toMatchObject({ to: 'succeeded', lastError: { code: 'outcome_incomplete' } })
        break
      }
      if (assessed.kind !== 'changed' && assessed.kind !== 'unchanged') throw new TypeError(assessed.kind)
      tracked = { ...tracked, state: 'running', fingerprint, heldOutcome: assessed.heldOutcome }
      at += assessed.next?.delayMs ?? 0
      asks.push(at - now.getTime())
    }
    expect(asks.length).toBeGreaterThanOrEqual(5)
    expect(asks.at(-1)).toBeGreaterThanOrEqual(60_000)
    expect(asks.at(-1)).toBeLessThan(11 * 60_000)
  })

  test('of a connection that may be asked once an hour is asked for once more', () => {
    const slow = { ...asked, limits: { minIntervalMs: 3_600_000, maxIntervalMs: 3_600_000 } }
    const first = assess(seen, slow, lacking(), now)
    expect(first).toMatchObject({ to: 'running', next: { delayMs: 3_600_000 } })
    expect(assess(heldSince(3_600_000, { asked: 0 }), slow, lacking(), now)).toMatchObject({ to: 'succeeded' })
  })

  test('waits for what the report of the end asks for', () => {
    const summaryError = new ProviderError('server_error', 'Not yet.', { retryAfterMs: 90_000 })
    const assessed = assess(seen, asked, lacking({}, { summaryError }), now) as Extract<Assessment, { kind: 'changed' }>
    expect(assessed.next?.delayMs).toBeGreaterThanOrEqual(90_000)
  })

  test('that runs again goes on as if it had never ended', () => {
    expect(assess(heldSince(5_000), asked, answer({}), now)).toMatchObject({
      kind: 'changed',
      to: 'running',
      attention: null,
      heldOutcome: null,
      lastError: null,
    })
  })

  test('whose provider knows nothing any more is asked for on, and then is what was told', () => {
    for (const state of ['unknown', 'unmapped'] as const) {
      expect(assess(heldSince(5_000), asked, answer({ state }), now)).toMatchObject({
        to: 'running',
        attention: state === 'unmapped' ? 'unmapped_status' : 'outcome_incomplete',
        heldOutcome: { asked: 3 },
      })
      const late = heldSince(90_000, { asked: 9 })
      expect(assess(late, asked, answer({ state }), now)).toMatchObject({
        kind: 'settled',
        held: { state: 'succeeded' },
        lastError: { code: 'outcome_incomplete' },
      })
    }
  })

  test('whose job is archived meanwhile is what was told', () => {
    expect(assess(heldSince(5_000), asked, answer({ state: 'archived' }), now)).toMatchObject({
      kind: 'settled',
      held: { state: 'succeeded' },
    })
    expect(assess(seen, asked, answer({ state: 'archived' }), now)).toMatchObject({
      to: 'lost',
      lostReason: 'archived',
    })
  })

  test('whose job is forgotten meanwhile is what was told, once that is confirmed', () => {
    const held = heldSince(30_000, { state: 'partial' })
    expect(assess(held, asked, failure('not_found'), now)).toMatchObject({
      kind: 'unchanged',
      attention: 'outcome_incomplete',
      heldOutcome: { asked: 3 },
      lastError: { code: 'not_found' },
    })
    const third = { ...held, notFounds: 2, notFoundSince: new Date(now.getTime() - 15_000) }
    expect(assess(third, asked, failure('not_found'), now)).toMatchObject({
      kind: 'settled',
      held: { state: 'partial' },
      lastError: { code: 'outcome_incomplete', message: expect.stringContaining('It went wrong.') },
    })
  })

  test.each(['timeout', 'server_error', 'unauthorized', 'rate_limited'] as const)(
    'is what was told, when its time is over in the midst of %s',
    (kind) => {
      expect(assess(heldSince(30_000), asked, failure(kind), now)).toMatchObject({ kind: 'unchanged' })
      expect(assess(heldSince(60_000, { asked: 4 }), asked, failure(kind), now)).toMatchObject({ kind: 'settled' })
    },
  )

  test('is what was told at the deadline, and not lost', () => {
    const late = { ...heldSince(5_000), deadlineAt: now }
    expect(assess(late, asked, lacking(), now)).toMatchObject({ kind: 'changed', to: 'succeeded' })
    expect(assess(late, asked, failure('timeout'), now)).toMatchObject({ kind: 'settled' })
    expect(assess({ ...seen, deadlineAt: now }, asked, lacking(), now)).toMatchObject({ to: 'succeeded', next: null })
  })
})

/** Fails from now on, until something comes of it. */
function playFailures(tracked: TrackedImport, whom: Asked, kind: ProviderErrorKind) {
  let current = tracked
  let at = now.getTime()
  for (let asks = 1; ; asks++) {
    const assessed = assess(current, whom, failure(kind), new Date(at))
    if (assessed.kind !== 'unchanged') return { kind: assessed.kind, at: at - now.getTime(), asks }
    const { failures, notFounds, notFoundSince } = assessed
    current = { ...current, failures, notFounds, notFoundSince }
    at += assessed.next.delayMs
  }
}

describe('an outcome that the rows tell', () => {
  const provider: Asked['provider'] = {
    forgetsJobs: false,
    outcomeOfRows: (report, { rows, failed }) => ({
      ...report,
      state: failed === 0 ? 'succeeded' : failed === rows ? 'failed' : 'partial',
      rows: { ...unknownRows, failed, succeeded: rows - failed },
    }),
  }
  const held = { state: 'succeeded', since: now.toISOString(), asked: 1, hasDetails: true, awaitsRows: true } as const
  const error = { code: 'invalid_response', message: 'The file broke off.', at: now.toISOString() }
  const ended = (state: 'succeeded' | 'partial', rowsRead: Omit<TrackedImport['rowsRead'] & object, 'goesOn'>) =>
    assess(
      { ...seen, heldOutcome: held, rowsRead: { ...rowsRead, goesOn: false } },
      { ...asked, provider },
      answer({ state, providerStatus: 'DONE' }, { awaitsRows: true }),
      now,
    )

  test('is what they say, once all are read', () => {
    expect(ended('succeeded', { rows: 1_000, failed: 1_000, error: null })).toMatchObject({
      ...{ to: 'failed', lastError: null },
      answer: { report: { rows: { failed: 1_000, succeeded: 0 } } },
    })
  })

  test.each([
    ['none of which was read', 'succeeded', { rows: 0, failed: 0 }, 'succeeded'],
    ['which are good so far', 'succeeded', { rows: 1_000, failed: 0 }, 'succeeded'],
    ['which are all bad so far', 'succeeded', { rows: 1_000, failed: 1_000 }, 'partial'],
    ['which are good so far, against the status', 'partial', { rows: 1_000, failed: 0 }, 'partial'],
  ] as const)('is not what some of them say, %s', (_what, state, read, to) => {
    expect(ended(state, { ...read, error })).toMatchObject({
      ...{ to, lastError: error, heldOutcome: null },
      answer: { report: { rows: unknownRows } },
    })
  })

  describe('that are still being read', () => {
    const reading = (failed: number, readError: StoredPollError | null, ms: number) =>
      assess(
        { ...seen, heldOutcome: held, rowsRead: { rows: 900, failed, error: readError, goesOn: true } },
        { ...asked, provider },
        answer({ state: 'succeeded', providerStatus: 'DONE' }, { awaitsRows: true }),
        new Date(now.getTime() + ms),
      )

    test('is waited for as long as there is time', () => {
      expect(reading(3, null, maxAwaitRowsMs - 1)).toMatchObject({ heldOutcome: { awaitsRows: true } })
    })

    test.each([
      ['disproves a success by a failed row', 3, null, 'partial', 'outcome_incomplete'],
      ['tells why the rows weren’t there', 3, error, 'partial', 'invalid_response'],
      ['is what the status says where no row has failed', 0, null, 'succeeded', 'outcome_incomplete'],
    ] as const)('%s, once the time is over', (_what, failed, readError, to, code) => {
      expect(reading(failed, readError, maxAwaitRowsMs)).toMatchObject({ to, heldOutcome: null, lastError: { code } })
    })
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
    const assessed = assess({ ...seen, failures: 99 }, asked, failure(kind), now)
    expect(assessed).toMatchObject({
      kind: 'unchanged',
      sameReport: false,
      failures: 100,
      lastError: { code: kind },
    })
  })

  test('leaves what asks for attention as it was', () => {
    const odd = { ...seen, attention: 'unmapped_status' as const }
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

describe('a vendor whose clock is wrong', () => {
  /** How often it is asked within 460 s of a job that began when it was registered. */
  function pollsOf(aheadMs: number, limits = { minIntervalMs: 1_000, maxIntervalMs: 120_000 }) {
    const theirs = (ms: number) => new Date(now.getTime() + ms + aheadMs)
    let tracked: TrackedImport = { ...fresh, registeredAt: now }
    let polls = 0
    for (let ms = 1_000; ms < 460_000; polls++) {
      const heard = answer({ startedAt: theirs(0), progress: null }, { date: theirs(ms) })
      const assessed = assess(tracked, { ...asked, limits }, heard, new Date(now.getTime() + ms))
      if (assessed.kind === 'changed')
        tracked = { ...tracked, state: 'running', fingerprint: assessed.fingerprint, polls: polls + 1 }
      ms += assessed.kind === 'changed' || assessed.kind === 'unchanged' ? (assessed.next?.delayMs ?? 0) : 0
    }
    return polls
  }

  test.each([3_600_000, -3_600_000, 86_400_000, -86_400_000, 90_000])(
    'by %i ms is asked as often as any other',
    (aheadMs) => {
      const polls = pollsOf(aheadMs)
      expect(polls).toBe(pollsOf(0))
      expect(polls).toBeLessThanOrEqual(30)
      expect(polls).toBeGreaterThanOrEqual(15)
    },
  )

  test.each(['0001-01-01T00:00:00Z', '1970-01-01T00:00:00Z', '2099-01-01T00:00:00Z'])(
    'and whose times can’t be (%s) teaches what the polls saw',
    (time) => {
      const date = new Date(time)
      const ago = (seconds: number) => new Date(now.getTime() - seconds * 1_000)
      const tracked = { ...seen, registeredAt: ago(300), seenAt: ago(20) }
      const odd = { state: 'succeeded' as const, startedAt: date, createdAt: date, finishedAt: date }
      expect(assess(tracked, asked, answer(odd), now)).toMatchObject({
        to: 'succeeded',
        span: { startedAt: ago(300).getTime(), endedAt: ago(10).getTime(), uncertainMs: 20_000 },
      })
    },
  )

  test('by an hour teaches how long the job ran all the same', () => {
    const theirs = (seconds: number) => new Date(now.getTime() + 3_600_000 - seconds * 1_000)
    const told = { state: 'succeeded' as const, startedAt: theirs(90), finishedAt: theirs(5) }
    const tracked = { ...seen, seenAt: new Date(now.getTime() - 20_000) }
    const heard = answer(told, { date: theirs(0) })
    const span = { startedAt: now.getTime() - 90_000, endedAt: now.getTime() - 5_000, uncertainMs: 0 }
    expect(assess(tracked, asked, heard, now)).toMatchObject({ span })
  })

  test.each(['0001-01-01T00:00:00Z', '1970-01-01T00:00:00Z', '2099-01-01T00:00:00Z'])(
    'and whose times can’t be (%s) leaves the pace as it is without them',
    (time) => {
      const date = new Date(time)
      const young = { ...fresh, registeredAt: new Date(now.getTime() - 20_000) }
      const without = assess(young, asked, answer({ progress: null }), now)
      const assessed = assess(young, asked, answer({ progress: null, startedAt: date, createdAt: date }), now)
      expect(assessed).toMatchObject({
        next: (without as { next: object }).next,
        answer: { report: { startedAt: null, createdAt: null } },
      })
    },
  )
})
