import { expect, test } from 'vitest'
import { createTickWatch } from '../../src/work/tick-watch.ts'

test('each kind is watched by itself', () => {
  let uptime = 0
  const watch = createTickWatch(() => uptime)
  expect(watch.missed()).toEqual([])
  uptime = 6_000
  expect(watch.missed()).toEqual(['poll', 'collect', 'deliver'])
  for (const kind of ['poll', 'deliver'] as const) watch.passed(kind)
  expect(watch.missed()).toEqual(['collect'])
  expect(watch.ages()).toMatchObject({ poll: 0, collect: 6_000, 'roll-up': 6_000 })
})

test('a kind that has done nothing for half a minute is silent; the one of each minute has more time', () => {
  let uptime = 0
  const watch = createTickWatch(() => uptime)
  uptime = 30_001
  watch.passed('poll')
  expect(watch.silent()).toEqual(['collect', 'deliver'])
  uptime = 60_002
  expect(watch.silent()).toEqual(['poll', 'collect', 'deliver'])
  uptime = 120_001
  expect(watch.silent()).toContain('roll-up')
})
