import { readFile, writeFile } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type RunningCli, startCli } from '../cli/run.ts'
import { testEnvironment } from '../support/service.ts'
import { queueStores } from '../support/stores.ts'
import { useService } from '../support/worlds/service.ts'

const [store] = queueStores
if (!store) throw new Error('there is a queue store')

const probe = new URL('../support/memory-probe.ts', import.meta.url).href
/** The kernel's own measure of a process, where there is one. */
const onLinux = process.platform === 'linux'

const patience = { timeout: 60_000, interval: 50 }

describe.skipIf(!onLinux)('an import with many skipped lines', () => {
  const app = useService(store, { roles: 'api' })
  let worker: RunningCli

  beforeEach(async () => {
    // A small young generation, so that garbage doesn't hide what is kept.
    const options = { NODE_OPTIONS: `--import=${probe} --max-semi-space-size=2 --max-old-space-size=128` }
    worker = startCli([], { ...testEnvironment({ ...app.place, roles: 'worker' }), ...options })
    await worker.said(/listens on/)
  })
  afterEach(async () => {
    worker.child.kill('SIGTERM')
    await worker.exited
  })

  /** Megabytes resident now, and at the most since `forgetPeak`: proc(5). */
  async function resident(): Promise<{ now: number; peak: number }> {
    const status = await readFile(`/proc/${worker.child.pid}/status`, 'utf8')
    const megabytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) / 1_024
    return { now: megabytes('VmRSS'), peak: megabytes('VmHWM') }
  }

  /** Without this the peak is the start's, in which Node compiles all of the sources. */
  const forgetPeak = () => writeFile(`/proc/${worker.child.pid}/clear_refs`, '5')

  /** Megabytes that are in use, garbage excluded. */
  async function inUse(): Promise<number> {
    const said = () => [...worker.output().stdout.matchAll(/^In use: (\d+) bytes\.$/gm)]
    const before = said().length
    worker.child.kill('SIGUSR2')
    return vi.waitFor(() => {
      expect(said().length).toBeGreaterThan(before)
      return Number(said().at(-1)?.[1]) / 1_048_576
    })
  }

  async function track(skippedLines: number): Promise<string> {
    const connection = await app.connect('cdq')
    return (await app.track(connection, { provider: 'cdq', durationMs: 0, skippedLines, pageSize: 1_000 })).id
  }
  const stored = (id: string, details: Record<string, unknown>) =>
    vi.waitFor(async () => expect((await app.get(id)).details).toEqual(expect.objectContaining(details)), patience)

  test('goes through with flat memory: ten times the pages cost no more', async () => {
    await stored(await track(20_000), { state: 'complete' }) // code is compiled, connections are open
    const before = { inUse: await inUse(), resident: (await resident()).now }
    await forgetPeak()
    const id = await track(200_000)
    await vi.waitFor(async () => expect((await app.get(id)).details.skippedLines).toBeGreaterThan(150_000), patience)
    const inTheMiddle = await inUse()
    expect(await app.get(id)).toMatchObject({ details: { state: 'collecting' } })
    await stored(id, { state: 'complete' })
    const peak = (await resident()).peak

    const [lines] = await app.sql(
      'SELECT count(*)::int AS lines, count(DISTINCT line)::int AS distinct, max(line)::int AS last FROM skipped_lines WHERE import_id = $1',
      [id],
    )
    expect(lines).toEqual({ lines: 200_000, distinct: 200_000, last: 2_000_000 })
    expect(await app.get(id)).toMatchObject({ state: 'partial', rows: { skipped: 200_000 } })
    // 150,000 lines would be some 20 MB if they were kept; the page under way is 0.3 MB.
    expect(inTheMiddle - before.inUse).toBeLessThan(8)
    // What the process takes from the system beyond that is garbage that V8 has not collected yet, which has a limit.
    expect(peak - before.resident).toBeLessThan(100)
  })
})
