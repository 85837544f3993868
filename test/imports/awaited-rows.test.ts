import { expect, test } from 'vitest'
import { judge, maxAwaitRowsMs } from '../../src/imports/outcome.ts'
import { aReport } from '../support/worlds/polls.ts'

const start = new Date('2026-03-01T12:00:00Z')
const at = (ms: number) => new Date(start.getTime() + ms)
const deadlineAt = at(86_400_000)
const answer = { report: aReport({ state: 'succeeded' }), missing: null, details: null, awaitsRows: true }
const held = { state: 'succeeded', since: start.toISOString(), asked: 7, hasDetails: true, awaitsRows: true } as const

test('an outcome that the rows tell is waited for, without an error', () => {
  expect(judge({ state: 'running', held: null, deadlineAt }, answer, start)).toMatchObject({
    ...{ to: 'running', lastError: null },
    held: { state: 'succeeded', asked: 0, awaitsRows: true },
  })
  expect(judge({ state: 'pending', held, deadlineAt }, answer, at(maxAwaitRowsMs - 1))).toMatchObject({
    ...{ to: 'running', lastError: null },
    held: { since: start.toISOString(), asked: 8 },
  })
})

test.each([
  ['an hour', { state: 'running', held, deadlineAt }, maxAwaitRowsMs],
  ['the deadline', { state: 'running', held, deadlineAt: at(60_000) }, 60_000],
] as const)('after %s it is what the status says, and why is told', (_what, known, ms) => {
  expect(judge(known, answer, at(ms))).toMatchObject({
    ...{ to: 'succeeded', held: null },
    lastError: { code: 'outcome_incomplete', message: expect.stringContaining('rows were not read in time') },
  })
})

test('once the rows are read, what they say is final, with the reason why some are missing', () => {
  const rowsError = { code: 'invalid_response', message: 'The file broke off.', at: start.toISOString() }
  const read = { ...answer, report: aReport({ state: 'partial' }), awaitsRows: false, rowsError }
  expect(judge({ state: 'running', held, deadlineAt }, read, at(1_000))).toMatchObject({
    ...{ to: 'partial', held: null, lastError: rowsError },
  })
})
