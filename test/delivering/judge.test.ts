import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type AttemptResult, judge, retryDelayMs, retryDelaysMs } from '../../src/delivering/judge.ts'
import { outcomes } from '../../src/webhooks/outcome.ts'

const hour = 3_600_000
const noJitter = () => 0
const failed = (result: Partial<AttemptResult> = {}): AttemptResult => ({
  outcome: 'http_error',
  status: 500,
  retryAfterMs: null,
  ...result,
})
const first = { attempts: 1, blockedAttempts: 0 }

describe('the schedule', () => {
  it('has twelve attempts in about 76 hours', () => {
    expect(retryDelaysMs).toHaveLength(12)
    expect(retryDelaysMs.reduce<number>((sum, delay) => sum + delay, 0) / hour).toBeCloseTo(75.7, 1)
    expect(retryDelaysMs.map((ms) => ms / 1_000)).toEqual([
      0, 5, 30, 120, 600, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400,
    ])
  })

  it('is late by up to a fifth, and never early', () => {
    fc.assert(
      fc.property(fc.nat(11), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (attempts, random) => {
        const base = retryDelaysMs[attempts] ?? Number.NaN
        const delay = retryDelayMs(attempts, () => random)
        expect(delay).toBeGreaterThanOrEqual(base)
        expect(delay).toBeLessThanOrEqual(Math.ceil(base * 1.2))
      }),
    )
  })

  it('ends after the twelfth attempt', () => {
    expect(judge(failed(), { attempts: 11, blockedAttempts: 0 }, noJitter).delivery).toEqual({
      state: 'pending',
      waitMs: 24 * hour,
    })
    expect(judge(failed(), { attempts: 12, blockedAttempts: 0 }, noJitter).delivery).toEqual({ state: 'exhausted' })
  })
})

describe('the verdict', () => {
  it('on a delivered webhook is that it is over', () => {
    const verdict = judge(failed({ outcome: 'delivered', status: 204 }), first, noJitter)
    expect(verdict).toEqual({ delivery: { state: 'delivered' }, endpoint: { kind: 'fine' } })
  })

  it.each(outcomes.filter((outcome) => outcome !== 'delivered'))('on %s is a retry', (outcome) => {
    const verdict = judge(failed({ outcome, status: null }), first, noJitter)
    expect(verdict).toEqual({ delivery: { state: 'pending', waitMs: 5_000 }, endpoint: { kind: 'fine' } })
  })

  it('on 410 is that the endpoint is gone', () => {
    const verdict = judge(failed({ status: 410 }), first, noJitter)
    expect(verdict).toEqual({ delivery: { state: 'exhausted' }, endpoint: { kind: 'gone' } })
  })

  it.each([
    ['a bare 429 waits a minute', 429, null, 60_000],
    ['a 429 waits as long as it says', 429, 90_000, 90_000],
    ['a 503 waits as long as it says', 503, 90_000, 90_000],
    ['a 502 waits as long as it says', 502, 90_000, 90_000],
    ['a 504 waits as long as it says', 504, 90_000, 90_000],
    ['a bare 503 waits as long as a first retry', 503, null, 5_000],
    ['nobody is waited for longer than a day', 429, 99 * hour, 24 * hour],
  ])('%s, and so does the whole endpoint', (_name, status, retryAfterMs, waitMs) => {
    const verdict = judge(failed({ status, retryAfterMs }), first, noJitter)
    const endpoint = { kind: 'wait', waitMs, mayBeDead: status === 503 && retryAfterMs === null }
    expect(verdict).toEqual({ delivery: { state: 'pending', waitMs }, endpoint })
  })

  it('never retries earlier than the schedule, whatever Retry-After says', () => {
    const verdict = judge(failed({ status: 429, retryAfterMs: 1_000 }), { attempts: 4, blockedAttempts: 0 }, noJitter)
    expect(verdict).toEqual({
      delivery: { state: 'pending', waitMs: 600_000 },
      endpoint: { kind: 'wait', waitMs: 1_000, mayBeDead: false },
    })
  })

  it('on Retry-After with another status, or one that has passed, is an ordinary retry', () => {
    for (const result of [
      failed({ status: 500, retryAfterMs: hour }),
      failed({ status: 502 }),
      failed({ status: 504 }),
      failed({ status: 503, retryAfterMs: 0 }),
    ])
      expect(judge(result, first, noJitter)).toEqual({
        delivery: { state: 'pending', waitMs: 5_000 },
        endpoint: { kind: 'fine' },
      })
  })

  it('on a blocked address is three retries, then the end', () => {
    const states = [1, 2, 3, 4].map(
      (count) =>
        judge(
          failed({ outcome: 'blocked_address', status: null }),
          { attempts: count, blockedAttempts: count },
          noJitter,
        ).delivery.state,
    )
    expect(states).toEqual(['pending', 'pending', 'pending', 'exhausted'])
  })
})
