import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { startCommand } from '../cli/run.ts'

const script = fileURLToPath(new URL('stopping.ts', import.meta.url))

test('a second signal ends at once what is slow to stop', async () => {
  const { child, said, exited } = startCommand([process.execPath, script, 'hang'], {})
  await said(/started/)
  child.kill('SIGTERM')
  await said(/stopping/)
  const again = setInterval(() => child.kill('SIGTERM'), 50) // the first ones count as the same
  expect(await exited).toBe(1)
  clearInterval(again)
})

test('an error that nobody expected stops it too, and shows in its status', async () => {
  const { said, exited } = startCommand([process.execPath, script, 'fail'], {})
  await said(/stopping/)
  expect(await exited).toBe(1)
})

test('a start that hangs ends after one signal, too', async () => {
  const { child, said, exited } = startCommand([process.execPath, script, 'never-start'], {})
  await said(/starting/)
  child.kill('SIGTERM')
  expect(await exited).toBe(1)
})

test('a log that nobody reads any more doesn’t hold up the end', async () => {
  const { child, said, exited } = startCommand([process.execPath, script, 'log'], {})
  await said(/started/)
  child.stdout?.destroy()
  child.kill('SIGTERM')
  expect(await exited).toBe(0)
})
