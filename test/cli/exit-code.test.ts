import { expect, test } from 'vitest'
import type { Import } from '../../packages/client/src/index.ts'
import { exitCodeOf } from '../../src/cli/exit-code.ts'

const cases: [number, Import['state'][]][] = [
  [0, ['succeeded']],
  [3, ['partial']],
  [4, ['failed']],
  [5, ['canceled']],
  [6, ['lost']],
  [7, ['stopped']],
  [124, ['pending']],
  [124, ['queued']],
  [124, ['running']],
  [0, ['succeeded', 'succeeded']],
  [7, ['succeeded', 'stopped']],
  [3, ['stopped', 'partial', 'succeeded']],
  [5, ['partial', 'canceled']],
  [6, ['canceled', 'lost', 'partial']],
  [4, ['lost', 'failed', 'canceled']],
  [124, ['failed', 'running']],
]

test.each(cases)('it is %i of %j', (code, states) => {
  expect(exitCodeOf(states)).toBe(code)
  expect(exitCodeOf(states.toReversed())).toBe(code)
})
