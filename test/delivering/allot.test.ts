import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type Crowd,
  choose,
  crowdOf,
  type Places,
  placesOf,
  restOf,
  type UnderWay,
} from '../../src/delivering/allot.ts'

const now = new Date('2026-03-09T12:00:00.000Z')
const at = (ms: number) => new Date(now.getTime() + ms)
const someTime = fc.option(fc.integer({ min: -100, max: 100 }).map(at), { nil: null })
const condition = fc.record({
  failures: fc.nat(20),
  firstFailureAt: someTime,
  failingSince: someTime,
  nextProbeAt: someTime,
  failedProbes: fc.nat(9),
  lastSuccessAt: someTime,
  blockedUntil: someTime,
})
const underWay = fc
  .record({ firsts: fc.nat(5), retries: fc.nat(3), longestMs: fc.nat(3_000), isQuick: fc.boolean() })
  .filter(({ firsts, retries }) => firsts + retries <= 5)
const list = fc.nat(8).map((count) => Array.from({ length: count }, (_, place) => ({ dueAt: at(place - 100) })))
const due = fc.record({ asked: list, firsts: list, retries: list })
const some = { condition, underWay, due, crowd: fc.constantFrom<Crowd>('roomy', 'busy', 'crowded') }

const healthy = {
  failures: 0,
  firstFailureAt: null,
  failingSince: null,
  nextProbeAt: null,
  failedProbes: 0,
  lastSuccessAt: now,
  blockedUntil: null,
}
const idle: UnderWay = { firsts: 0, retries: 0, longestMs: 0, isQuick: false }
const many = Array.from({ length: 9 }, (_, place) => ({ dueAt: at(place - 100) }))
const count = (places: Places, kinds: { asked?: number; firsts?: number; retries?: number }) => {
  const { asked = 0, firsts = 0, retries = 0 } = kinds
  const given = { asked: many.slice(0, asked), firsts: many.slice(0, firsts), retries: many.slice(0, retries) }
  return choose(places, given).length
}

describe('whatever its condition and whatever is due, an endpoint', () => {
  test('has five under way at the most, three of them retries, and the longest due of each kind goes first', () => {
    fc.assert(
      fc.property(fc.record(some), ({ condition, underWay, due, crowd }) => {
        const chosen = choose(placesOf(condition, underWay, { now, crowd }), due)
        const of = (kind: readonly unknown[]) => kind.filter((one) => chosen.includes(one as never))
        expect(new Set(chosen).size).toBe(chosen.length)
        expect(underWay.firsts + underWay.retries + chosen.length).toBeLessThanOrEqual(5)
        expect(of(due.retries).length + underWay.retries).toBeLessThanOrEqual(Math.max(3, underWay.retries))
        for (const kind of Object.values(due)) expect(of(kind)).toEqual(kind.slice(0, of(kind).length))
        expect(chosen.slice(0, of(due.asked).length)).toEqual(of(due.asked))
      }),
    )
  })

  test('gets nothing while it asked to wait, and nothing that nobody asked for while its breaker is open', () => {
    fc.assert(
      fc.property(fc.record(some), ({ condition, underWay, due, crowd }) => {
        const chosen = choose(placesOf(condition, underWay, { now, crowd }), due)
        const unasked = chosen.filter((one) => !due.asked.includes(one))
        const { blockedUntil, failingSince, nextProbeAt } = condition
        if (blockedUntil !== null && blockedUntil > now) expect(chosen).toEqual([])
        if (failingSince === null) return
        if (nextProbeAt !== null && nextProbeAt > now) expect(unasked).toEqual([])
        expect(unasked.length).toBeLessThanOrEqual(1)
        if (underWay.firsts + underWay.retries > 0) expect(unasked).toEqual([])
      }),
    )
  })

  test('never rests while it has something to begin and the room for it, unless it is slow or in trouble', () => {
    fc.assert(
      fc.property(fc.record(some), ({ condition, due }) => {
        const places = placesOf({ ...healthy, firstFailureAt: condition.firstFailureAt }, idle, {
          now,
          crowd: 'roomy',
        })
        const chosen = choose(places, due)
        expect(restOf(places, chosen.length) === null).toBe(chosen.length < 5)
      }),
    )
  })
})

describe('an endpoint that answers', () => {
  const placesWith = (busy: Partial<UnderWay>, crowd: Crowd = 'roomy') =>
    placesOf(healthy, { ...idle, ...busy }, { now, crowd })

  test('keeps one of its five places for a retry that waits', () => {
    expect(count(placesWith({}), { firsts: 9 })).toBe(5)
    expect(choose(placesWith({}), { asked: [], firsts: many, retries: many.slice(0, 1) })).toEqual([
      ...many.slice(0, 4),
      many[0],
    ])
    expect(count(placesWith({ retries: 1 }), { firsts: 9 })).toBe(4)
  })

  test('gets two first attempts and one retry while a request takes longer than a second', () => {
    expect(count(placesWith({ firsts: 1, longestMs: 999 }), { firsts: 9 })).toBe(4)
    expect(count(placesWith({ firsts: 1, longestMs: 1_000 }), { firsts: 9, retries: 9 })).toBe(2)
    expect(count(placesWith({ firsts: 2, longestMs: 1_000 }), { firsts: 9 })).toBe(0)
    expect(count(placesWith({ firsts: 2, longestMs: 1_000 }), { asked: 9 })).toBe(3)
  })

  test('gets as few as after a second already after a tenth of one, where many requests are under way', () => {
    expect(count(placesWith({ firsts: 1, longestMs: 99, isQuick: true }, 'crowded'), { firsts: 9 })).toBe(4)
    expect(count(placesWith({ firsts: 1, longestMs: 100, isQuick: true }, 'crowded'), { firsts: 9 })).toBe(1)
  })

  test('shows that it still answers before it gets more, in a process that has much under way', () => {
    expect(count(placesWith({}, 'busy'), { firsts: 9, retries: 9 })).toBe(2)
    expect(count(placesWith({ firsts: 1 }, 'busy'), { firsts: 9 })).toBe(1)
    expect(count(placesWith({}, 'crowded'), { firsts: 9 })).toBe(1)
    expect(count(placesWith({ firsts: 1 }, 'crowded'), { firsts: 9, retries: 9 })).toBe(0)
    expect(count(placesWith({}, 'crowded'), { asked: 9 })).toBe(5)
    for (const crowd of ['busy', 'crowded'] as const)
      expect(count(placesWith({ isQuick: true }, crowd), { firsts: 9 })).toBe(5)
  })
})

test('a process is busy from a tenth of what it may have under way, and crowded from a half', () => {
  expect([0, 299, 300, 1_499, 1_500].map((underWay) => crowdOf(underWay, 3_000))).toEqual([
    'roomy',
    'roomy',
    'busy',
    'busy',
    'crowded',
  ])
})

test.each([
  ['was never tried', { lastSuccessAt: null }],
  ['has failed three times in a row', { failures: 3 }],
])('an endpoint that %s gets one at a look, and rests then', (_what, columns) => {
  const places = placesOf({ ...healthy, ...columns }, idle, { now, crowd: 'roomy' })
  expect(count(places, { firsts: 9 })).toBe(1)
  expect(restOf(places, 1)).toBeGreaterThan(0)
  expect(restOf(places, 0)).toBeNull()
})

test('a probe is what has been due for the longest, of either kind', () => {
  const failing = { ...healthy, failures: 5, failingSince: at(-60_000), nextProbeAt: now }
  const places = placesOf(failing, idle, { now, crowd: 'roomy' })
  const [older, younger] = [{ dueAt: at(-2) }, { dueAt: at(-1) }]
  expect(choose(places, { asked: [], firsts: [younger], retries: [older] })).toEqual([older])
  expect(choose(places, { asked: [younger], firsts: [older], retries: [] })).toEqual([younger])
})
