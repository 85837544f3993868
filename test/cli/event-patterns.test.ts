import { expect, test } from 'vitest'
import { readTypes } from '../../src/cli/event-patterns.ts'
import { eventTypes } from '../../src/model/event-types.ts'

test.each<[string, number]>([
  ['*', eventTypes.length],
  ['import.*', eventTypes.filter((type) => type.startsWith('import.')).length],
  ['endpoint.*,endpoint.failing', 3],
  ['*.resumed', 2],
  ['import.partial', 1],
])('the pattern %s stands for %i types', (pattern, count) => {
  expect(readTypes(pattern)).toHaveLength(count)
})

test('a pattern is no regular expression', () => {
  expect(() => readTypes('import.partia.')).toThrow('matches none')
  expect(() => readTypes('importXpartial')).toThrow('matches none')
})
