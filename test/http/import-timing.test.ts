import { expect, test } from 'vitest'
import { duration } from '../../src/http/pages/format.ts'
import type { About } from '../../src/http/pages/import-about.ts'
import { remaining, timing } from '../../src/http/pages/import-timing.ts'

const now = new Date('2026-11-26T12:00:00.000Z')
const at = (seconds: number) => new Date(now.getTime() + seconds * 1_000).toISOString()
const blank = {
  state: 'running',
  registeredAt: at(-600),
  providerStartedAt: null,
  providerFinishedAt: null,
  finishedAt: null,
  usualDurationMs: null,
  eta: null,
}

function about(one: Record<string, unknown>, resumedAt: string | null = null) {
  return { one: { ...blank, ...one } as unknown as About['one'], resumedAt, now, pause: null }
}

test.each([
  [0, '0 ms'],
  [999.4, '999 ms'],
  [999.7, '1 s'],
  [59_900, '59 s'],
  [59_999.9, '1 min'],
  [3_599_999, '59 min 59 s'],
  [3_600_000, '1 h'],
  [90_000_000, '1 d 1 h'],
])('%s ms are %s', (ms, text) => {
  expect(duration(ms)).toBe(text)
})

test.each([
  ['runs', { usualDurationMs: 60_000 }, null, 'for 10 min, usually 1 min: now 10.0 times that'],
  ['as long as usual', { usualDurationMs: 600_000 }, null, 'for 10 min, usually 10 min: now 1.0 times that'],
  ['has no usual duration', {}, null, 'for 10 min'],
  ['has just begun', { registeredAt: at(-0.07), usualDurationMs: 12_000 }, null, 'for less than 1 s, usually 12 s'],
  ['began by a clock ahead', { providerStartedAt: at(30), usualDurationMs: 12_000 }, null, ''],
  ['was resumed', { usualDurationMs: 8_000 }, at(-4), 'for 4 s since it was resumed, usually 8 s: now 0.5 times that'],
  [
    'runs anew',
    { providerStartedAt: at(-3), usualDurationMs: 3_000 },
    at(-4),
    'for 3 s, usually 3 s: now 1.0 times that',
  ],
  ['is over', { state: 'partial', finishedAt: at(-540) }, null, 'took 1 min'],
  [
    'is over after a resume, and the provider tells when',
    { state: 'succeeded', providerStartedAt: at(-600), providerFinishedAt: at(-580), finishedAt: at(-1) },
    at(-5),
    'took 20 s',
  ],
  ['is over after a resume, nobody knows since when', { state: 'lost', finishedAt: at(-1) }, at(-5), ''],
])('how long it has run is said of one that %s', (_, one, resumedAt, text) => {
  expect(timing(about(one, resumedAt))).toBe(text)
})

test.each([
  [40.2, 10.9, 90.1, 'ends in 40 s between 10 s and 1 min 31 s from now'],
  [40, 0.98, 90, 'ends in 40 s at most 1 min 30 s from now'],
  [0, 0, 0.4, 'may end at any moment at most 1 s from now'],
  [0, 0, 0, 'may end at any moment: it was expected to be over by now'],
])('ending in %s s, from %s s to %s s, is said in words', (likely, earliest, latest, text) => {
  const said = remaining(about({ eta: { at: at(likely), earliest: at(earliest), latest: at(latest) } }))?.text ?? ''
  expect(said.replaceAll(/<[^>]+>/g, '').trim()).toBe(text)
})
