// Owns what is found to move in bodies that say nothing new, by playing answer after answer.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { pointerTree } from '../../src/base/json-pointer.ts'
import type { MovingFields } from '../../src/db/schema/index.ts'
import { canonical } from '../../src/imports/fingerprint.ts'
import { learnMoving } from '../../src/imports/moving-fields.ts'

/** What comes of these bodies: the polls (from 1) that made a snapshot, and what was learned. */
function played(bodies: readonly unknown[]) {
  let known: MovingFields | null = null
  let last: unknown
  const snapshots: number[] = []
  for (const [index, body] of bodies.entries()) {
    const text = (value: unknown) => canonical(value, pointerTree(known?.leftOut ?? []))
    if (index > 0 && text(body) === text(last)) continue
    if (index > 0) known = learnMoving(known, { before: last, after: body }, index + 1)
    snapshots.push(index + 1)
    last = body
  }
  return { snapshots, known: known as MovingFields | null }
}

const polls = Array.from({ length: 51 }, (_, n) => n)
const some = (n: number) => `moves-${n}`

describe('of 51 answers', () => {
  it.each<[string, (n: number) => unknown, string[]]>([
    ['an id at the top', (n) => ({ status: 'R', requestId: some(n) }), ['/requestId']],
    ['a time inside', (n) => ({ result: { generatedAt: some(n), b: 1 } }), ['/result/generatedAt']],
    ['times in a list', (n) => ({ list: [{ at: some(n) }, { at: some(-n), b: 1 }] }), ['/list/-/at']],
    ['several at once', (n) => ({ a: some(n), b: { c: n, d: [n, n] } }), ['/a', '/b/c', '/b/d/-']],
    ['two by turns', (n) => ({ a: some(n >> 1), b: some((n + 1) >> 1) }), ['/a', '/b']],
    ['a list that grows', (n) => ({ log: Array.from({ length: n }, some) }), ['/log']],
    ['keys that are new each time', (n) => ({ traces: { [some(n)]: 1 } }), ['/traces']],
    ['a key that comes and goes', (n) => ({ a: 1, ...(n % 2 && { b: 1 }) }), ['/b']],
    ['numbers beyond doubles', (n) => ({ a: JSON.parse(`${n}`), b: 1 }), ['/a']],
  ])('%s makes few snapshots, and is found', (_what, body, leftOut) => {
    const { snapshots, known } = played(polls.map(body))
    expect(snapshots.length).toBeLessThanOrEqual(7)
    expect(known?.leftOut.toSorted()).toEqual(leftOut)
  })

  it.each<[string, (n: number) => unknown]>([
    ['keys at the top that are new each time', (n) => ({ a: 1, [some(n)]: 1 })],
    [
      'more fields than are remembered',
      (n) => Object.fromEntries(polls.concat(polls.map((m) => m + 100)).map((m) => [m, n])),
    ],
    ['another kind of value each time', (n) => ({ a: [[n], { b: n }, n][n % 3] })],
  ])('%s make few', (_what, body) => {
    const { snapshots, known } = played(polls.map(body))
    expect(snapshots.length).toBeLessThanOrEqual(10)
    expect(known?.leftOut.length).toBeLessThanOrEqual(1)
  })
})

it('still tells of what changes beside it', () => {
  const { snapshots } = played(polls.map((n) => ({ requestId: some(n), phase: n < 30 ? 'load' : 'check' })))
  expect(snapshots).toEqual([1, 2, 3, 4, 31])
})

it('leaves a field that changes now and then alone', () => {
  const { snapshots, known } = played(polls.map((n) => ({ phase: Math.floor(n / 10) })))
  expect(snapshots).toEqual([1, 11, 21, 31, 41, 51])
  expect(known?.leftOut).toEqual([])
})

it('remembers a bounded number of fields, whatever comes', () => {
  fc.assert(
    fc.property(fc.array(fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 80 }), { maxLength: 30 }), (bodies) => {
      const { known } = played(bodies)
      expect(known?.leftOut.length ?? 0).toBeLessThanOrEqual(50)
      expect(Object.keys(known?.moved ?? {}).length).toBeLessThanOrEqual(50)
    }),
  )
})
