import { expect, test } from 'vitest'
import { createLog } from '../../src/base/log.ts'

function logged(write: (log: ReturnType<typeof createLog>) => void): string {
  const lines: string[] = []
  write(createLog('trace', { write: (line) => void lines.push(line) }))
  return lines.join('')
}

test('an error is logged with its cause, but without what libraries hang on it', () => {
  const cause = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })
  const error = Object.assign(new Error('no answer', { cause }), { command: { args: ['AUTH', 'hunter2'] } })
  const line = logged((log) => log.warn({ err: error }, 'the queue had an error'))
  expect(line).not.toContain('hunter2')
  expect(JSON.parse(line).err).toMatchObject({ type: 'Error', message: 'no answer', cause: { code: 'ECONNREFUSED' } })
})

test.each(['authorization', 'credentials', 'apiKey', 'tokenResponse', 'secret', 'token', 'cookie', 'headers'])(
  '%s never gets into a line, should somebody pass it in',
  (name) => {
    expect(logged((log) => log.info({ [name]: 'hunter2', inside: { [name]: 'hunter2' } }))).not.toContain('hunter2')
  },
)
