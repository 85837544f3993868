import { describe, expect, test } from 'vitest'
import { after } from '../../src/base/clock.ts'
import { beganAt, spanOf } from '../../src/polling/span.ts'

const now = new Date('2026-11-22T12:00:00.000Z')
const ago = (seconds: number) => after(now, -seconds * 1_000)
const tracked = {
  registeredAt: ago(600),
  resumedAt: null,
  providerStartedAt: null,
  providerCreatedAt: null,
  seenAt: ago(40),
  heldOutcome: null,
}
const silent = { startedAt: null, createdAt: null, finishedAt: null }
const onTime = { clockAheadMs: 0, now }
const span = (startedSeconds: number, endedSeconds: number, uncertainSeconds: number) => ({
  startedAt: ago(startedSeconds).getTime(),
  endedAt: ago(endedSeconds).getTime(),
  uncertainMs: uncertainSeconds * 1_000,
})

describe('an import began', () => {
  test('at the provider’s start, else its creation, else our registration', () => {
    expect(beganAt(tracked, silent, onTime)).toEqual(ago(600))
    expect(beganAt(tracked, { ...silent, createdAt: ago(800) }, onTime)).toEqual(ago(800))
    expect(beganAt(tracked, { ...silent, createdAt: ago(800), startedAt: ago(700) }, onTime)).toEqual(ago(700))
    expect(beganAt({ ...tracked, providerStartedAt: ago(650) }, silent, onTime)).toEqual(ago(650))
  })

  test('by our clock, however wrong the provider’s is', () => {
    const clockAheadMs = 3_600_000
    const startedAt = after(ago(700), clockAheadMs)
    expect(beganAt(tracked, { ...silent, startedAt }, { clockAheadMs, now })).toEqual(ago(700))
  })

  test('when it was registered, if the provider’s time lies ahead', () => {
    expect(beganAt(tracked, { ...silent, startedAt: ago(-30) }, onTime)).toEqual(ago(600))
  })

  test('when it was resumed', () => {
    expect(beganAt({ ...tracked, resumedAt: ago(100) }, silent, onTime)).toEqual(ago(100))
  })
})

describe('an import ran', () => {
  test('until the provider’s end, if there is one', () => {
    expect(spanOf(tracked, { ...silent, finishedAt: ago(25) }, onTime)).toEqual(span(600, 25, 0))
  })

  test('else until some time between the last two polls', () => {
    expect(spanOf(tracked, silent, onTime)).toEqual(span(600, 20, 40))
  })

  test.each([
    ['before a poll saw it live', ago(300)],
    ['in the future', ago(-50)],
  ])('as the polls saw it, if the provider’s end is %s', (_what, finishedAt) => {
    expect(spanOf(tracked, { ...silent, finishedAt }, onTime)).toEqual(span(600, 20, 40))
  })

  test('nobody knows how long, if it was over at the first poll and the provider doesn’t say', () => {
    expect(spanOf({ ...tracked, seenAt: null }, silent, onTime)).toBeNull()
    expect(
      spanOf({ ...tracked, seenAt: null }, { ...silent, startedAt: ago(500), finishedAt: ago(450) }, onTime),
    ).toEqual(span(500, 450, 0))
  })

  test('nobody knows how long, if nobody looked for a while', () => {
    expect(spanOf({ ...tracked, resumedAt: ago(30) }, silent, onTime)).toBeNull()
  })

  test('until it was first said to be done, if what shows it came later', () => {
    const since = ago(90).toISOString()
    const heldOutcome = { state: 'succeeded' as const, since, asked: 5, hasDetails: false }
    expect(spanOf({ ...tracked, heldOutcome }, silent, onTime)).toEqual(span(600, 90, 0))
  })

  test('no time at all, if it ended before it began', () => {
    const odd = { ...silent, startedAt: ago(10), finishedAt: ago(20) }
    expect(spanOf({ ...tracked, seenAt: null }, odd, onTime)).toBeNull()
  })
})
