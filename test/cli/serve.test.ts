import { chmod, mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { findPostmaster } from '../../src/embedded/postmaster.ts'
import { type RunningCli, runCli, startCli } from './run.ts'

let directory: string
const started: RunningCli[] = []

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'import-tracker-serve-'))
  await chmod(directory, 0o755)
})
afterEach(async () => {
  for (const { child } of started.splice(0)) child.kill('SIGKILL')
  const left = await postmaster()
  if (left) process.kill(left.pid, 'SIGQUIT')
  await expect.poll(postmaster).toBeNull()
  await rm(directory, { recursive: true })
})

test('the first start says the token, and the next ones only where it is kept', async () => {
  const service = start()
  const [, token] = await service.said(/^Admin token: (\S+)$/m)
  expect((await readFile(join(directory, 'admin-token'), 'utf8')).trim()).toBe(token)
  const [, url] = await service.said(/listens on (\S+);/)
  expect((await fetch(`${url}/readyz`)).status).toBe(200)
  expect((await fetch(`${url}/v1/imports`, { headers: { authorization: `Bearer ${token}` } })).status).toBe(200)
  // Its port is any free one, and a command beside it needs to know neither.
  const whoami = await runCli(['whoami'], { DATA_DIR: directory, XDG_CONFIG_HOME: directory })
  expect(whoami).toMatchObject({ code: 0, stdout: expect.stringContaining(`(admin) at ${url}`) })

  await interrupt(service)
  await expect(stat(join(directory, 'url'))).rejects.toThrow('ENOENT')
  const next = start()
  await next.said(new RegExp(`^The admin token is in ${join(directory, 'admin-token')}\\.$`, 'm'))
  expect(await interrupt(next)).toBe(0)
  expect(next.output().stdout).not.toContain(token)
})

test('Ctrl-C, which npm passes on once more, ends it gracefully and leaves no Postgres', async () => {
  const service = start()
  await service.said(/listens on/)
  expect(await interrupt(service)).toBe(0)
  expect(await postmaster()).toBeNull()
})

test('Ctrl-C in the middle of the start ends it too', async () => {
  const service = start()
  await expect.poll(postmaster, { interval: 5 }).not.toBeNull()
  expect(await interrupt(service)).toBe(0)
  expect(await postmaster()).toBeNull()
})

test('it goes on when nobody reads its log any more, and ends by a signal', async () => {
  const service = start({ LOG_LEVEL: 'info' })
  const [, url] = await service.said(/listens on (\S+);/)
  service.child.stdout?.destroy()
  for (let count = 0; count < 5; count++) expect((await fetch(`${url}/v1/imports`)).status).toBe(401)
  expect(await interrupt(service)).toBe(0)
  expect(await postmaster()).toBeNull()
})

test('a start after SIGKILL just works', async () => {
  const killed = start()
  await killed.said(/listens on/)
  killed.child.kill('SIGKILL')
  await killed.exited

  const next = start()
  await next.said(/listens on/)
  expect(await interrupt(next)).toBe(0)
  expect(await postmaster()).toBeNull()
})

test('a second one on the same directory is told which directory that is', async () => {
  await start().said(/listens on/)
  const second = start()
  expect(await second.exited).toBe(1)
  expect(second.output().stderr).toBe(
    `Another Import Tracker uses ${directory}: stop it, or choose another DATA_DIR.\n`,
  )
})

function start(given: Record<string, string> = {}): RunningCli {
  const running = startCli([], { DATA_DIR: directory, PORT: '0', LOG_LEVEL: 'warn', ...given })
  started.push(running)
  return running
}

/** The terminal's signal and npm's, as two that the system doesn't merge. */
function interrupt({ child, exited }: RunningCli): Promise<number | null> {
  process.kill(-Number(child.pid), 'SIGINT')
  child.kill('SIGTERM')
  return exited
}

function postmaster() {
  return findPostmaster(join(directory, 'postgres/data'))
}
