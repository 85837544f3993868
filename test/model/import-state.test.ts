import { describe, expect, test } from 'vitest'
import {
  attentionEvent,
  attentions,
  canFollow,
  endedByProvider,
  eventOf,
  firstAttention,
  importEventTypes,
  isOver,
  liveStates,
  stateAfter,
  states,
  transitions,
} from '../../src/model/import-state.ts'

test('every state can be reached', () => {
  const reachable = new Set(['pending', ...Object.values(transitions).flat()])
  expect([...reachable].sort()).toEqual([...states].sort())
})

test('what is over stays so, unless it is resumed', () => {
  for (const state of states.filter(isOver)) expect(transitions[state]).toEqual(['pending'])
  for (const state of liveStates) expect(canFollow(state, 'pending')).toBe(false)
  expect(states.filter(endedByProvider)).toEqual(['succeeded', 'partial', 'failed', 'canceled'])
})

test('live are exactly the states that are not over', () => {
  expect(liveStates).toEqual(['pending', 'queued', 'running'])
  expect(states.filter(isOver)).toEqual(['succeeded', 'partial', 'failed', 'canceled', 'lost', 'stopped'])
})

test('of several attentions that hold, the first of the list is shown', () => {
  expect(firstAttention([])).toBeNull()
  expect(firstAttention(['overdue', 'outcome_incomplete', 'stalled'])).toBe('outcome_incomplete')
  expect(firstAttention([...attentions].reverse())).toBe('unmapped_status')
})

test('an attention is told when it becomes another one, and two of them once in the life of an import', () => {
  const fresh = { attention: null, attentionsTold: [] }
  expect(attentions.map((next) => [next, attentionEvent(fresh, next)])).toEqual([
    ['unmapped_status', 'import.attention'],
    ['forbidden', 'import.attention'],
    ['outcome_incomplete', 'import.attention'],
    ['budget', 'import.attention'],
    ['stalled', 'import.stalled'],
    ['overdue', 'import.overdue'],
  ])
  for (const next of attentions) expect(attentionEvent({ ...fresh, attention: next }, next)).toBeNull()
  expect(attentionEvent({ ...fresh, attention: 'stalled' }, null)).toBeNull()
  const told = { attention: 'budget', attentionsTold: ['stalled'] }
  expect(attentionEvent(told, 'stalled')).toBeNull()
  expect(attentionEvent(told, 'overdue')).toBe('import.overdue')
  expect(attentionEvent(told, 'forbidden')).toBe('import.attention')
})

test('every transition has an event type', () => {
  for (const to of Object.values(transitions).flat()) expect(importEventTypes).toContain(eventOf(to))
})

describe('a report', () => {
  test.each([
    ['pending', 'queued', 'queued'],
    ['pending', 'succeeded', 'succeeded'],
    ['queued', 'running', 'running'],
    ['running', 'queued', 'running'],
    ['running', 'unknown', 'running'],
    ['queued', 'unmapped', 'queued'],
    ['running', 'partial', 'partial'],
    ['running', 'canceled', 'canceled'],
  ] as const)('of an import that is %s, saying %s, makes it %s', (from, reported, to) => {
    expect(stateAfter(from, reported)).toEqual({ to, lostReason: null })
  })

  test('of an archived job whose outcome was never seen makes it lost', () => {
    expect(stateAfter('running', 'archived')).toEqual({ to: 'lost', lostReason: 'archived' })
  })
})
