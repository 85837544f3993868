// Owns that no digit of a number gets lost, and that what needs no care gets none.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decimalOf, isRawNumber, isStorableNumber, parseJson, parseJsonAsWritten } from '../../src/base/json.ts'

/** Any number that JSON can say. */
const number = fc
  .tuple(
    fc.constantFrom('', '-'),
    fc.oneof(fc.constant('0'), fc.bigInt({ min: 1n, max: 10n ** 40n }).map(String)),
    fc.oneof(fc.constant(''), fc.stringMatching(/^\.\d{1,30}$/)),
    fc.oneof(fc.constant(''), fc.stringMatching(/^[eE][+-]?\d{1,4}$/)),
  )
  .map((parts) => parts.join(''))

const around = fc.constantFrom<(text: string) => string>(
  (text) => text,
  (text) => ` ${text}\n`,
  (text) => `[1,${text}]`,
  (text) => `{"a":${text}}`,
  (text) => `{"__proto__" :\t${text} ,"b":"1e5"}`,
)

describe('JSON that is parsed', () => {
  it('is as it was written, number by number', () => {
    fc.assert(
      fc.property(number, around, (source, put) => {
        expect(JSON.stringify(parseJsonAsWritten(put(source)))).toBe(
          put(source === '-0' ? '0' : source).replace(/\s/g, ''),
        )
      }),
    )
  })

  it('has the same values', () => {
    fc.assert(
      fc.property(number, (source) => {
        const value = parseJson(`[${source}]`)
        expect(decimalOf(JSON.stringify(value).slice(1, -1))).toBe(decimalOf(source))
      }),
    )
  })

  it('has plain numbers wherever a double will do, so that what is reckoned with stays a number', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true, max: 1e20, min: -1e20 }), (value) => {
        expect(parseJson(JSON.stringify([value]))).toEqual([value === 0 ? 0 : value])
      }),
    )
  })

  it('leaves texts alone that look like such numbers, wherever they stand', () => {
    for (const text of [
      '17841400000000001',
      'see: 17841400000000001, please',
      '[17841400000000001]',
      '1.0',
      '\0',
      ': 1e5 ,"',
    ])
      for (const json of [
        `{"a":${JSON.stringify(text)},"n":17841400000000001}`,
        `[17841400000000001,{"n":17841400000000001},${JSON.stringify(text)}]`,
        `{${JSON.stringify(text)}:17841400000000001}`,
      ])
        expect(JSON.stringify(parseJsonAsWritten(json))).toBe(json)
  })

  it('is what JSON.parse makes of it, but for such numbers', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        const parsed = JSON.stringify(parseJson(text))
        expect(JSON.parse(parsed)).toEqual(JSON.parse(JSON.stringify(JSON.parse(text))))
      }),
    )
  })

  it.each(['', '{', '01', '[1e400', 'NaN', '"\n"'])('is refused where it is none: %j', (text) => {
    expect(() => parseJson(text)).toThrow(SyntaxError)
    expect(() => parseJsonAsWritten(text)).toThrow(SyntaxError)
  })
})

it.each([
  ['1e131071', true],
  ['1e131072', false],
  ['1e-16383', true],
  ['1e-16384', false],
  [`1${'0'.repeat(131_071)}`, true],
  [`1${'0'.repeat(131_072)}`, false],
  [`0.${'1'.repeat(16_384)}`, false],
  ['1e99999999999', false],
])('knows what Postgres can keep: %s', (source, isStorable) => {
  const value = parseJson(source)
  expect(isRawNumber(value) && isStorableNumber(value)).toBe(isStorable)
})

it('takes time in proportion, whatever the digits', () => {
  const text = `[0.${'0'.repeat(1_000_000)}1,${'10'.repeat(500_000)}]`
  expect(JSON.stringify(parseJson(text))).toBe(text)
})
