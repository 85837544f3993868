import { expect, test } from 'vitest'
import { demoView } from '../../src/demo/view.ts'
import { bar } from '../../src/terminal/bar.ts'
import { renderFrame } from '../../src/terminal/frame.ts'
import type { Line } from '../../src/terminal/import-line.ts'
import { plain } from '../../src/terminal/paint.ts'
import { line } from './line.ts'

test('a frame has a line an import', () => {
  const lines = [
    line('short', { state: 'running', progress: 0.5, polls: 3 }),
    line('paged', { state: 'partial', progress: 1, polls: 12, skippedLines: 10_000, rowResults: 7 }),
    line('gone', { connection: 'micro', state: 'lost', lostReason: 'expired', polls: 1 }),
  ]
  expect(frame({ lines }, 80, 24)).toEqual([
    '',
    'Import Tracker · 2 of 3 imports over · 1:05 · 9 webhooks verified',
    '',
    'connection import                progress    state          polls skipped  rows',
    'cdq        short                 ━━━━━╸───── running            3       ·     ·',
    'cdq        paged                 ━━━━━━━━━━━ partial           12  10,000     7',
    'micro      gone                  ─────────── lost/expired       1       ·     ·',
  ])
})

test('a wide terminal says what is remarkable', () => {
  const lines = [
    line('unmapped', { state: 'running', attention: 'unmapped_status', providerStatus: 'REINDEXING' }),
    line('throttled', { state: 'running', lastError: 'rate_limited', message: 'Too many requests' }),
    line('failed', { state: 'failed', message: 'No storage.' }),
  ]
  expect(frame({ lines }, 140, 24).slice(3)).toEqual([
    expect.stringMatching(/ rows note +$/),
    expect.stringMatching(/ · unmapped_status: REINDEXING +$/),
    expect.stringMatching(/ · rate_limited +$/),
    expect.stringMatching(/ · No storage\. +$/),
  ])
})

test.each([
  [80, 24],
  [140, 50],
  [100, 12],
  [60, 24],
  [50, 10],
  [30, 10],
  [12, 10],
  [200, 8],
])('it fits %i columns and %i lines', (width, height) => {
  const lines = Array.from({ length: 60 }, (_, n) =>
    line(`import number ${n} of a long name`, {
      state: n % 3 === 0 ? 'succeeded' : 'running',
      message: 'x'.repeat(300),
    }),
  )
  const shown = frame({ lines }, width, height)
  expect(shown.length).toBeLessThan(height)
  expect(Math.max(...shown.map((text) => text.length))).toBeLessThan(width)
})

test('where there are more imports than lines, those that ended first are folded', () => {
  const lines = [
    line('first', { state: 'succeeded', finishedAt: 1_000 }),
    line('last', { state: 'failed', finishedAt: 3_000 }),
    line('runs', { state: 'running' }),
    line('second', { state: 'partial', finishedAt: 2_000 }),
    line('waits', { state: 'queued' }),
  ]
  const shown = frame({ lines }, 80, 9)
  expect(titles(shown)).toEqual(['last', 'runs', 'waits'])
  expect(shown.at(-1)).toBe('… and 1 succeeded, 1 partial')
})

test('where even those under way are too many, every connection shows some', () => {
  const many = (connection: string) =>
    [1, 2, 3].map((n) => line(`${connection} ${n}`, { connection, state: 'running' }))
  const shown = frame({ lines: [...many('cdq'), ...many('micro')] }, 80, 10)
  expect(titles(shown)).toEqual(['cdq 1', 'cdq 2', 'micro 1', 'micro 2'])
  expect(shown.at(-1)).toBe('… and 2 under way')
})

test('an import whose rows are being stored is under way', () => {
  const lines = [line('collects', { state: 'partial', details: 'collecting' })]
  expect(frame({ lines }, 80, 24)[1]).toContain('0 of 1 imports over')
})

test('a bar is full, half, empty, where it stood, or wanders where the vendor says nothing', () => {
  const draw = (state: 'pending' | 'running' | 'succeeded' | 'failed', progress: number | null, tick = 0) =>
    bar({ state, progress }, 6, tick, plain)
  expect(draw('succeeded', null)).toBe('━━━━━━')
  expect(draw('running', 0.4)).toBe('━━╸───')
  expect(draw('pending', null)).toBe('──────')
  expect(draw('failed', 0.5)).toBe('━━━───')
  expect([0, 1, 2, 3, 4, 5, 6].map((tick) => draw('running', null, tick).indexOf('━'))).toEqual([0, 1, 2, 3, 2, 1, 0])
})

function frame({ lines }: { lines: readonly Line[] }, width: number, height: number): string[] {
  const view = demoView(() => ({ elapsedMs: 65_000, webhooks: 9 }))
  return renderFrame(view, { lines, tick: 0 }, { width, height }, plain)
}

/** Of the imports that are shown. */
function titles(shown: readonly string[]): string[] {
  return shown.slice(4, -1).map((text) => text.slice(11, 32).trim())
}
