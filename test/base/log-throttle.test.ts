import { pino } from 'pino'
import { expect, test } from 'vitest'
import { createLogThrottle } from '../../src/base/log-throttle.ts'
import { manualClock } from '../support/clock.ts'

function world() {
  const lines: { msg: string; repeated?: number; err: { message: string } }[] = []
  const clock = manualClock()
  const log = pino({ base: null }, { write: (line) => void lines.push(JSON.parse(line)) })
  return { lines, clock, complain: createLogThrottle({ log, clock }) }
}

test('an outage is told of at once, then every 30 s with how often it happened meanwhile', () => {
  const { lines, clock, complain } = world()
  for (let second = 0; second < 65; second++) {
    for (let times = 0; times < 10; times++) complain('the queue had an error', new Error(`refused ${second}`))
    clock.advance(1_000)
  }
  expect(lines).toMatchObject([
    { msg: 'the queue had an error', level: 40, err: { message: 'refused 0' } },
    { msg: 'the queue had an error', repeated: 299, err: { message: 'refused 30' } },
    { msg: 'the queue had an error', repeated: 299, err: { message: 'refused 60' } },
  ])
  expect(lines[0]).not.toHaveProperty('repeated')
})

test('one message holds up no other, and after a pause the next one comes at once', () => {
  const { lines, clock, complain } = world()
  complain('the queue had an error', new Error('a'))
  complain('a database connection broke', new Error('b'))
  clock.advance(30_000)
  complain('the queue had an error', new Error('c'))
  expect(lines.map(({ err }) => err.message)).toEqual(['a', 'b', 'c'])
  expect(lines[2]).not.toHaveProperty('repeated')
})
