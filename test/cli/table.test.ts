import stringWidth from 'string-width'
import { expect, test } from 'vitest'
import type { Import } from '../../packages/client/src/index.ts'
import { timeText } from '../../src/cli/list.ts'
import { type Column, fieldLines, row, widthsFor } from '../../src/cli/table.ts'
import { changeLine, view } from '../../src/cli/watch.ts'
import { fitted } from '../../src/terminal/fitted.ts'
import { renderFrame } from '../../src/terminal/frame.ts'
import { plain } from '../../src/terminal/paint.ts'

const id = '019abc00-0000-7000-8000-000000000001'
const columns: Column<{ job: string; team: string }>[] = [
  { title: 'ID', text: () => id },
  { title: 'JOB', text: ({ job }) => job, canShrink: true },
  { title: 'TEAM', text: ({ team }) => team, canShrink: true },
]

test.each([
  ['short', { job: 'a', team: 'b' }],
  ['long', { job: 'j'.repeat(500), team: 'b' }],
  ['wide', { job: '輸入'.repeat(40), team: '数据' }],
  ['of emoji', { job: '👩‍👩‍👧‍👦'.repeat(40), team: '🇩🇪🇩🇪🇩🇪' }],
  ['both long', { job: 'j'.repeat(500), team: 't'.repeat(500) }],
])('a row of cells that are %s fits 80 columns', (_what, item) => {
  const widths = widthsFor(columns, [item], 80)
  const line = row(
    columns.map(({ text }) => text(item)),
    widths,
  )
  expect(stringWidth(line)).toBeLessThanOrEqual(80)
  expect(line.startsWith(id)).toBe(true) // what can't shrink is whole
})

test('what is cut says so, and takes its cells exactly', () => {
  expect(fitted('abcdef', 4)).toBe('abc…')
  expect(fitted('輸入輸', 4)).toBe('輸… ')
  expect(fitted('ab', 4)).toBe('ab  ')
})

test('other people’s text moves no cursor', () => {
  expect(row(['a\u001b[2J\nb'], [40])).not.toMatch(/\p{Cc}/u)
  expect(fieldLines({ message: 'a\nb' })).toEqual(['message  a⟨U+000A⟩b'])
  expect(changeLine({ ...one, message: 'a\u001b[2J' })).not.toMatch(/\p{Cc}/u)
})

test('a field that has a value is a line', () => {
  expect(fieldLines({ id: 'x', rows: { total: 3, failed: null }, types: ['a', 'b'], none: [], url: null })).toEqual([
    'id          x',
    'rows.total  3',
    'types       a, b',
  ])
})

test('times are a distance, or to the second', () => {
  const now = new Date('2026-11-25T12:00:00Z')
  const text = timeText('relative', now)
  expect(text('2026-11-25T11:59:30Z')).toBe('30s')
  expect(text('2026-11-25T11:00:00Z')).toBe('60m')
  expect(text('2026-11-24T12:00:00Z')).toBe('24h')
  expect(text('2026-11-15T12:00:00Z')).toBe('10d')
  expect(text('2026-11-25T12:10:00Z')).toBe('in 10m')
  expect(text(null)).toBe('')
  expect(timeText('iso', now)('2026-11-25T11:59:30.123Z')).toBe('2026-11-25T11:59:30Z')
})

const one = {
  ...{ id, connection: 'crm', jobId: 'job-7', state: 'running', lostReason: null, progress: 0.5, finishedAt: null },
  ...{ attention: null, lastError: null, message: null, polls: 3, details: { skippedLines: 0, rowResults: 0 } },
} as Import

function drawn(imports: readonly Import[], width: number, height: number): string[] {
  const lines = imports.map((one) => ({ title: one.jobId, import: one }))
  return renderFrame(view, { lines, tick: 0 }, { width, height }, plain)
}

test.each([12, 20, 40, 60, 80, 200])('an import’s bar fits %i columns', (width) => {
  for (const jobId of ['a', 'j'.repeat(100), '輸入'.repeat(30)])
    for (const state of ['running', 'lost'] as const) {
      const lostReason = state === 'lost' ? 'unauthorized' : null
      const [line = ''] = drawn([{ ...one, jobId, state, lostReason, message: 'm'.repeat(300) }], width, 24)
      expect(stringWidth(line)).toBeLessThan(width)
    }
})

test('an import’s line has its connection, job, bar, progress and state, and a note where there is room', () => {
  expect(drawn([one], 80, 24)).toEqual([
    'crm            job-7                  ━━━━━━━━━─────────  50% running          ',
  ])
  expect(drawn([{ ...one, message: 'No storage.' }], 140, 24)[0]).toMatch(/ 50% running +No storage\. *$/)
  expect(drawn([{ ...one, jobId: 'a\u001b[2J\nb' }], 80, 24).join()).not.toMatch(/\p{Cc}/u)
})

test('where there are more imports than lines, those under way are shown', () => {
  const over = Array.from({ length: 9 }, (_, index) => ({ ...one, jobId: `over-${index}`, state: 'failed' }) as Import)
  const lines = drawn([...over, { ...one, jobId: 'live' }], 80, 5)
  expect(lines).toHaveLength(4)
  expect(lines[2]).toContain('live')
  expect(lines[3]).toBe('… and 7 failed')
})
