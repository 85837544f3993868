import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cdq } from '../../src/sandbox/cdq.ts'
import { type ScriptInput, scriptSchema } from '../../src/sandbox/script.ts'
import { momentAt } from '../../src/sandbox/timeline.ts'
import { vendors } from '../../src/sandbox/world.ts'

const scripts = fc
  .record({
    provider: fc.constantFrom('cdq', 'micro', 'zilliant', 'fullstory'),
    outcome: fc.constantFrom('succeeded', 'partial', 'failed'),
    progress: fc.constantFrom('linear', 'steps', 'stall', 'early', 'none'),
    durationMs: fc.nat(100_000),
    rows: fc.nat(10_000_000),
    queued: fc.nat(5_000),
    failedShare: fc.double({ min: 0, max: 1, noNaN: true }),
    updatedShare: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  .map(({ queued, failedShare, updatedShare, ...script }) => {
    const failedRows = Math.floor(script.rows * failedShare)
    const updatedRows = Math.floor((script.rows - failedRows) * updatedShare)
    const queuedMs = script.provider === 'cdq' ? queued : 0
    return scriptSchema.parse({ ...script, failedRows, updatedRows, queuedMs } as ScriptInput)
  })
const times = fc.tuple(fc.nat(120_000), fc.nat(120_000)).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const)

describe('a scripted import', () => {
  test('never goes backwards, and never comes back from its end', () => {
    fc.assert(
      fc.property(scripts, times, (script, [earlier, later]) => {
        const { words } = vendors[script.provider]
        const before = momentAt(script, words, earlier)
        const then = momentAt(script, words, later)
        expect(then.progress ?? 100).toBeGreaterThanOrEqual(before.progress ?? 0)
        expect(then.changedAfterMs).toBeGreaterThanOrEqual(before.changedAfterMs)
        for (const name of ['processed', 'succeeded', 'failed', 'inserted', 'updated'] as const) {
          expect(then.counters?.[name] ?? Infinity).toBeGreaterThanOrEqual(before.counters?.[name] ?? 0)
        }
        if (before.over) expect(then).toEqual(before)
      }),
    )
  })

  test('has counters that add up at every moment', () => {
    fc.assert(
      fc.property(scripts, times, (script, [at]) => {
        const { counters } = momentAt(script, vendors[script.provider].words, at)
        if (counters === null) return
        expect(counters.succeeded + counters.failed).toBe(counters.processed)
        expect(counters.inserted + counters.updated).toBe(counters.succeeded)
        expect(Object.values(counters).every((count) => Number.isInteger(count) && count >= 0)).toBe(true)
      }),
    )
  })

  test('ends with exactly the rows of its script', () => {
    fc.assert(
      fc.property(scripts, (script) => {
        const end = momentAt(script, vendors[script.provider].words, script.queuedMs + script.durationMs)
        const { rows, failedRows = 0, updatedRows } = script
        const succeeded = rows - failedRows
        expect(end).toMatchObject({
          over: true,
          progress: 100,
          counters: { processed: rows, failed: failedRows, succeeded, updated: updatedRows },
        })
      }),
    )
  })

  test('says the same at the same moment', () => {
    fc.assert(
      fc.property(scripts, times, (script, [at]) => {
        const job = { jobId: 'j', script, createdAt: new Date(0) }
        const call = { kind: 'status', jobId: 'j', cursor: null, origin: 'http://sandbox', scope: 'events' } as const
        const answer = () => JSON.stringify(vendors[script.provider].answer(job, call, at))
        if (script.rows < 1_000) expect(answer()).toBe(answer())
      }),
    )
  })
})

test.each([
  ['linear', [0, 25, 50, 75, 99, 100]],
  ['steps', [0, 20, 50, 70, 90, 100]],
  ['stall', [0, 50, 60, 60, 60, 100]],
  ['early', [0, 31, 62, 93, 100, 100]],
  ['none', [null, null, null, null, null, 100]],
] as const)('progress in the mode %s is %j', (progress, expected) => {
  const script = scriptSchema.parse({ provider: 'cdq', durationMs: 1_000, progress })
  const seen = [0, 250, 500, 750, 990, 1_000].map((ms) => momentAt(script, cdq.words, ms).progress)
  expect(seen).toEqual(expected)
})

test.each([
  ['succeeded', 'FINISHED', 100],
  ['partial', 'FINISHED', 100],
  ['failed', 'FAILED', 100],
  ['canceled', 'CANCELED', 60],
  ['died', 'DIED', 60],
  ['couldnt_start', 'COULDNT_START', 0],
  ['archived', 'ARCHIVED', 100],
] as const)('an import at CDQ that has %s ends as %s at %i %%', (outcome, status, progress) => {
  const script = scriptSchema.parse({ provider: 'cdq', durationMs: 1_000, outcome })
  expect(momentAt(script, cdq.words, 1_000)).toMatchObject({ over: true, status, progress })
})

test('steps say what happens when, each changing only what it names', () => {
  const script = scriptSchema.parse({
    provider: 'cdq',
    rows: 100,
    steps: [
      { afterMs: 100, status: 'RUNNING', progress: 40 },
      { afterMs: 200, status: 'RUNNING', progress: 20, message: 'again' },
      { afterMs: 300, status: 'UNKNOWN' },
      { afterMs: 400, status: 'FINISHED', progress: 100, failed: 3 },
      { afterMs: 500, status: 'ARCHIVED' },
    ],
  })
  const seen = [0, 100, 250, 300, 400, 500].map((ms) => momentAt(script, cdq.words, ms))
  expect(seen.map(({ status, progress, over }) => [status, progress, over])).toEqual([
    ['SCHEDULED', null, false],
    ['RUNNING', 40, false],
    ['RUNNING', 20, false],
    ['UNKNOWN', 20, false],
    ['FINISHED', 100, true],
    ['ARCHIVED', 100, true],
  ])
  expect(seen[4]).toMatchObject({ startedAfterMs: 100, finishedAfterMs: 400, message: 'again' })
  expect(seen[5]).toMatchObject({ finishedAfterMs: 400, counters: { processed: 100, failed: 3, succeeded: 97 } })
})
