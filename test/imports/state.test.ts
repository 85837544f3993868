import { describe, expect, test } from 'vitest'
import {
  canFollow,
  eventOf,
  importEventTypes,
  isOver,
  liveStates,
  stateAfter,
  states,
  transitions,
} from '../../src/imports/state.ts'

test('every state can be reached', () => {
  const reachable = new Set(['pending', ...Object.values(transitions).flat()])
  expect([...reachable].sort()).toEqual([...states].sort())
})

test('what the provider ended stays ended; what is lost or stopped can be resumed', () => {
  expect(states.filter((state) => transitions[state].length === 0)).toEqual([
    'succeeded',
    'partial',
    'failed',
    'canceled',
  ])
  expect(states.filter((state) => canFollow(state, 'pending'))).toEqual(['lost', 'stopped'])
})

test('live are exactly the states that are not over', () => {
  expect(liveStates).toEqual(['pending', 'queued', 'running'])
  expect(states.filter(isOver)).toEqual(['succeeded', 'partial', 'failed', 'canceled', 'lost', 'stopped'])
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
