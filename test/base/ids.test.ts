import { afterEach, expect, test } from 'vitest'
import { firstIdAt, makeIdsBehind, newId } from '../../src/base/ids.ts'

afterEach(() => makeIdsBehind(0))

test('ids of a machine whose clock is ahead sort among those of the others, and increase', () => {
  const dayMs = 86_400_000
  makeIdsBehind(2 * dayMs)
  const ids = Array.from({ length: 5_000 }, newId)
  expect(ids).toEqual([...new Set(ids)].sort())
  expect(ids.every((id) => id < firstIdAt(new Date(Date.now() - dayMs)))).toBe(true)
  makeIdsBehind(0)
  expect(newId() > firstIdAt(new Date(Date.now() - dayMs))).toBe(true)
})
