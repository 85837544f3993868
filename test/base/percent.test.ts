import { expect, test } from 'vitest'
import { wholePercent } from '../../src/base/percent.ts'

test('whole percent are themselves, and parts of them are left out', () => {
  for (let percent = 0; percent <= 100; percent++) expect(wholePercent(percent / 100)).toBe(percent)
  expect([0.299, 0.9999, 0.9999999].map(wholePercent)).toEqual([29, 99, 99])
})
