// Owns what makes two reports equal.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseJsonAsWritten } from '../../src/base/json.ts'
import { fingerprintOf, saysTheSame } from '../../src/imports/fingerprint.ts'
import { type Report, unknownRows } from '../../src/providers/contract.ts'

const report: Report = {
  state: 'running',
  providerStatus: 'RUNNING',
  message: null,
  progress: 0.1,
  rows: unknownRows,
  createdAt: null,
  startedAt: null,
  finishedAt: null,
  expiresAt: null,
  body: {},
}
const of = (body: unknown, ...volatileFields: string[]) =>
  fingerprintOf({ ...report, body: body as Report['body'] }, { volatileFields })

/** The value with the keys of all its objects in another order. */
function shuffled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shuffled)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, inner]) => [key, shuffled(inner)])
      .reverse(),
  )
}

describe('two reports are equal', () => {
  it('whatever the order of their keys', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (body) => {
        expect(of(shuffled(body))).toBe(of(body))
      }),
    )
  })

  it('as often as their bodies are', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (one, other) => {
        const isSame = JSON.stringify(one) === JSON.stringify(other)
        if (isSame) expect(of({ one })).toBe(of({ one: other }))
        else if (JSON.stringify(shuffled(shuffled(one))) !== JSON.stringify(shuffled(shuffled(other)))) return
        else expect(of({ one })).not.toBe(of({ one: other }))
      }),
    )
  })

  it.each([
    ['[1.0,10]', '[1,1e1]', true],
    ['[9007199254740993]', '[9007199254740992]', false],
    ['[9007199254740993]', '["9007199254740993"]', false],
    ['{"a":{"__proto__":{"b":1}}}', '{"a":{"__proto__":{"b":2}}}', false],
    ['{"a":[1,2]}', '{"a":[2,1]}', false],
    ['{"a":null}', '{}', false],
  ])('%s and %s: %s', (one, other, isSame) => {
    expect(of({ x: parseJsonAsWritten(one) }) === of({ x: parseJsonAsWritten(other) })).toBe(isSame)
  })

  it.each<[string, unknown, unknown]>([
    ['/at', { at: 1 }, { at: 2 }],
    ['/at', { at: 1 }, {}],
    ['/result/at', { result: { at: 1, b: 1 } }, { result: { b: 1 } }],
    ['/list/-/at', { list: [{ at: 1 }, { at: 2 }] }, { list: [{ at: 3 }, { at: 4 }] }],
    ['/list/1/at', { list: [{ at: 1 }, { at: 2 }] }, { list: [{ at: 1 }, { at: 4 }] }],
    ['/list/-', { list: [1, 2] }, { list: [2, 1] }],
    ['/a~1b/~0', { 'a/b': { '~': 1 } }, { 'a/b': { '~': 2 } }],
    ['', { a: 1 }, { b: 2 }],
  ])('but for what is left out: %s', (pointer, one, other) => {
    expect(of(one, pointer)).toBe(of(other, pointer))
    expect(of(one)).not.toBe(of(other))
  })

  it.each<[string, unknown, unknown]>([
    ['/list/-/at', { list: [{ at: 1 }] }, { list: [{ at: 1 }, { at: 1 }] }],
    ['/list/0/at', { list: [{ at: 1 }, { at: 2 }] }, { list: [{ at: 1 }, { at: 4 }] }],
    ['/at', { result: { at: 1 } }, { result: { at: 2 } }],
  ])('and no more than that: %s', (pointer, one, other) => {
    expect(of(one, pointer)).not.toBe(of(other, pointer))
  })
})

it('tells what is said from the body it came with', () => {
  const one = of({ a: 1 })
  expect(saysTheSame(one, of({ a: 2 }))).toBe(true)
  expect(saysTheSame(one, fingerprintOf({ ...report, progress: 0.2, body: { a: 1 } }, { volatileFields: [] }))).toBe(
    false,
  )
  expect(saysTheSame(null, one)).toBe(false)
})
