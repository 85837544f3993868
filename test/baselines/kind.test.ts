import { expect, test } from 'vitest'
import { everyImport, kindOf } from '../../src/baselines/kind.ts'

test('imports are of one kind if their values are equal', () => {
  const kind = (metadata: Record<string, unknown>) => kindOf(['source', 'size'], metadata)
  expect(kind({ source: 'crm', size: 3, other: 1 })).toBe(kind({ size: 3, source: 'crm', other: 2 }))
  expect(kind({ source: 'crm', size: 3 })).not.toBe(kind({ source: 'crm', size: '3' }))
  expect(kind({ source: 'crm' })).not.toBe(kind({ size: 'crm' }))
  expect(kind({ source: 'crm' })).toBe(kind({ source: 'crm', size: null }))
})

test('an import without any of the keys, or of a connection without kinds, is one of all', () => {
  expect(kindOf([], { source: 'crm' })).toBe(everyImport)
  expect(kindOf(['source'], { other: 'crm' })).toBe(everyImport)
  expect(kindOf(['toString'], {})).toBe(everyImport)
  expect(kindOf(['source'], null)).toBe(everyImport)
})

test('however long the values are, the kind is short', () => {
  const long = kindOf(['source'], { source: 'a'.repeat(10_000) })
  expect(long.length).toBeLessThan(100)
  expect(long).not.toBe(kindOf(['source'], { source: 'a'.repeat(10_001) }))
})
