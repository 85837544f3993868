import { expect, test } from 'vitest'
import { createQuickOwners } from '../../src/work/quick-owners.ts'

test('an owner is quick for a minute, and for a second while something of it is under way', () => {
  const owners = createQuickOwners()
  const isQuick = (at: number, isBusy = false) => owners.isQuick('one', { isBusy, at })
  expect(isQuick(0)).toBe(false)
  owners.noteEnd('one', { startedAt: 0, endedAt: 1_000 })
  expect([isQuick(60_999), isQuick(61_000)]).toEqual([true, false])
  expect([isQuick(1_999, true), isQuick(2_000, true)]).toEqual([true, false])
  expect(owners.isQuick('another', { isBusy: false, at: 1_000 })).toBe(false)
})

test('an item of more than a second makes no owner quick, and leaves it as it was', () => {
  const owners = createQuickOwners()
  owners.noteEnd('slow', { startedAt: 0, endedAt: 1_001 })
  expect(owners.isQuick('slow', { isBusy: false, at: 1_001 })).toBe(false)
  owners.noteEnd('both', { startedAt: 0, endedAt: 10 })
  owners.noteEnd('both', { startedAt: 0, endedAt: 1_001 })
  expect(owners.isQuick('both', { isBusy: false, at: 1_001 })).toBe(true)
})

test('of more than ten thousand owners those are forgotten that were quick the longest ago', () => {
  const owners = createQuickOwners()
  for (let number = 0; number <= 10_000; number++) owners.noteEnd(String(number), { startedAt: 0, endedAt: 1 })
  const isQuick = (id: string) => owners.isQuick(id, { isBusy: false, at: 1 })
  expect([isQuick('0'), isQuick('1'), isQuick('10000')]).toEqual([false, true, true])
})
