// What `imports watch` draws on a terminal: bars in place, of several imports at once.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import stringWidth from 'string-width'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type Client, createClient, type Import } from '../../packages/client/src/index.ts'
import type { Service } from '../../src/app/service.ts'
import { systemClock } from '../../src/base/clock.ts'
import { type Sandbox, startSandbox } from '../../src/sandbox/server.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { startTestService } from '../support/service.ts'
import { seen, startInTerminal } from '../support/terminal.ts'
import { adminToken } from '../support/worlds/ground.ts'
import { main } from './run.ts'

let directory: string
let database: TestDatabase
let sandbox: Sandbox
let service: Service
let tracker: Client

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'import-tracker-watch-'))
  database = await createTestDatabase()
  sandbox = await startSandbox({ clock: systemClock })
  service = await startTestService({ database })
  tracker = createClient({ url: service.url, token: adminToken })
  await tracker.connections.put('crm', {
    provider: 'cdq',
    baseUrl: sandbox.baseUrl('cdq'),
    credentials: sandbox.credentials('cdq') as { apiKey: string },
    limits: { minIntervalMs: 200, maxIntervalMs: 400 },
  })
})
afterAll(async () => {
  await service.stop()
  await sandbox.close()
  await database.close()
  await rm(directory, { recursive: true })
})

test('several imports are drawn in place, a line each, and stay as they ended', async () => {
  const imports = [await register('job-one', 'succeeded'), await register('job-two', 'partial')]
  const size = { rows: 24, columns: 80 }
  const { exited, output } = watch(imports, size)
  expect(await exited).toBe(3)
  const { lines, isCursorShown } = seen(output(), size.columns)
  expect(isCursorShown).toBe(true)
  expect(lines).toEqual([
    expect.stringMatching(/^crm +job-one +━+ 100% succeeded/),
    expect.stringMatching(/^crm +job-two +━+ 100% partial/),
  ])
  // In place: whatever has been written, there are never more lines than imports.
  for (const part of parts(output())) expect(seen(part, size.columns).lines.length).toBeLessThanOrEqual(2)
  expect(output()).toContain('\u001b[?25l') // meanwhile the cursor is hidden
})

test('a terminal that doesn’t know its size is drawn on as one of 80 columns', async () => {
  const imports = [await register('job-unsized', 'succeeded', 600_000)]
  const { exited, output, press } = watch(imports, { rows: 0, columns: 0 })
  await vi.waitFor(() => expect(seen(output(), 80).lines).toEqual([expect.stringMatching(/^crm +job-unsized +\S+ /)]))
  press('\u0003')
  expect(await exited).toBe(130)
})

test.each([
  { rows: 24, columns: 60 },
  { rows: 24, columns: 34 },
  { rows: 10, columns: 12 },
])('on a narrow terminal no line wraps: %j', async (size) => {
  const imports = [await register(`輸入-${'n'.repeat(60)}-${size.columns}`, 'failed')]
  const { exited, output } = watch(imports, size)
  expect(await exited).toBe(4)
  const { lines, isCursorShown } = seen(output(), size.columns)
  expect({ count: lines.length, isCursorShown }).toEqual({ count: 1, isCursorShown: true })
  expect(stringWidth(lines[0] ?? '')).toBeLessThan(size.columns)
})

test('where there are more imports than lines, the rest is counted, and all of them stay at the end', async () => {
  const imports = await Promise.all(
    Array.from({ length: 9 }, (_, index) => register(`many-${index}`, index === 4 ? 'failed' : 'succeeded')),
  )
  const size = { rows: 6, columns: 80 }
  const { exited, output } = watch(imports, size)
  expect(await exited).toBe(4)
  const { lines } = seen(output(), size.columns)
  expect(lines.map((line) => /many-\d/.exec(line)?.[0])).toEqual(imports.map(({ jobId }) => jobId))
  expect(output()).toMatch(/… and .*\d (under way|succeeded)/)
})

test('Ctrl-C leaves what was drawn, and the cursor', async () => {
  const imports = [await register('job-endless', 'succeeded', 600_000), await register('job-over', 'succeeded', 0)]
  const size = { rows: 24, columns: 80 }
  const { exited, output, press } = watch(imports, size)
  await vi.waitFor(() => expect(seen(output(), size.columns).lines.join('\n')).toMatch(/job-over.*succeeded/))
  expect(seen(output(), size.columns).isCursorShown).toBe(false)
  press('\u0003')
  expect(await exited).toBe(130)
  const { lines, isCursorShown } = seen(output(), size.columns)
  expect(isCursorShown).toBe(true)
  expect(lines).toEqual([expect.stringMatching(/^crm +job-endless/), expect.stringMatching(/^crm +job-over/)])
})

function watch(imports: readonly Import[], size: { rows: number; columns: number }) {
  const environment = { HOME: directory, IMPORT_TRACKER_URL: service.url, IMPORT_TRACKER_TOKEN: adminToken }
  const ids = imports.map(({ id }) => id)
  return startInTerminal([process.execPath, main, 'imports', 'watch', ...ids], environment, size)
}

/** What had been written at each time that something was drawn. */
function parts(output: string): string[] {
  return [...output.matchAll(/\n/g)].map(({ index }) => output.slice(0, index))
}

function register(jobId: string, outcome: 'succeeded' | 'partial' | 'failed', durationMs = 1_500): Promise<Import> {
  sandbox.add({ provider: 'cdq', jobId, durationMs, outcome, rows: 10 })
  return tracker.imports.register({ connection: 'crm', jobId })
}
