import { execFile } from 'node:child_process'
import { access, mkdtemp, readdir, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type RunningCli, startCli } from '../cli/run.ts'

/** The demo's temporary directory is made in here, so that nobody else's is taken for it. */
let temporary: string
const started: RunningCli[] = []

beforeEach(async () => {
  temporary = await mkdtemp(join(tmpdir(), 'import-tracker-test-demo-'))
  await promisify(execFile)('chmod', ['755', temporary])
})
afterEach(async () => {
  for (const { child } of started.splice(0)) child.kill('SIGKILL')
  await rm(temporary, { recursive: true })
})

test('with --exit it ends when every import ended as expected, and leaves nothing behind', async () => {
  const demo = start(['--exit'])
  expect({ code: await demo.exited, ...demo.output() }).toMatchObject({ code: 0, stderr: '' })

  const { stdout } = demo.output()
  expect(stdout).toMatch(/^provider +state +imports +polls +skipped +rows$/m)
  for (const provider of ['cdq', 'micro', 'zilliant', 'fullstory', 'salesforce'])
    expect(stdout).toMatch(tableLine(provider))
  expect(stdout).toMatch(/^all +44 +\d+ +10,125 +8,605$/m)
  const [, received, verified] = /^Webhooks +(\d+) received, (\d+) verified, 1 duplicate /m.exec(stdout) ?? []
  expect(Number(received)).toBeGreaterThan(40)
  expect(verified).toBe(received)
  expect(stdout).toMatch(/^Everything is as expected\.$/m)
  expect(stdout).not.toContain('\u001B')
  await expectNothingLeft()
})

test('Ctrl-C in the middle ends it at once, and leaves nothing behind', async () => {
  const demo = start([])
  await demo.said(/^micro +answered inline/m)
  process.kill(-Number(demo.child.pid), 'SIGINT')
  expect(await demo.exited).toBe(0)
  await expectNothingLeft()
})

test('a second Ctrl-C during the start ends it at once, and leaves nothing behind either', async () => {
  const demo = start([])
  await demo.said(/^Starting/)
  demo.child.kill('SIGINT')
  await demo.said(/^It stops as soon as it has started/m)
  await expect.poll(() => demo.child.kill('SIGINT') && demo.child.exitCode, { interval: 100 }).not.toBeNull()
  await expectNothingLeft()
})

test('it takes another port where its own is in use, and keeps the directory that it was given', async () => {
  const taken = await listen()
  const directory = join(temporary, 'mine')
  const demo = start([], { DATA_DIR: directory, PORT: String(portOf(taken)) })
  const [, url] = await demo.said(/^API docs +(\S+)\/docs$/m)
  expect(new URL(`${url}`).port).not.toBe(String(portOf(taken)))
  expect((await fetch(`${url}/docs`)).status).toBe(200)
  await demo.said(/^ +\(your DATA_DIR, kept at the end\)$/m)
  demo.child.kill('SIGTERM')
  expect(await demo.exited).toBe(0)
  await access(join(directory, 'demo.log'))
  taken.close()
})

function start(options: readonly string[], environment: Record<string, string> = {}): RunningCli {
  const running = startCli(['demo', ...options], { TMPDIR: temporary, PORT: '0', ...environment })
  started.push(running)
  return running
}

async function expectNothingLeft(): Promise<void> {
  const processes = () => promisify(execFile)('ps', ['-eo', 'args']).then(({ stdout }) => stdout)
  await expect.poll(processes).not.toContain(temporary)
  expect(await readdir(temporary)).toEqual([])
}

function tableLine(provider: string): RegExp {
  return new RegExp(`^${provider} +succeeded( +(\\d|·)\\S*){4}$`, 'm')
}

function listen(): Promise<Server> {
  return new Promise((resolve) => {
    const server = createServer()
    server.listen(0, '127.0.0.1', () => resolve(server))
  })
}

function portOf(server: Server): number {
  const address = server.address()
  return typeof address === 'object' && address ? address.port : 0
}
