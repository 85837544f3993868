import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { runCli } from './run.ts'

let directory: string
let environment: Record<string, string>
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'import-tracker-open-'))
  environment = {
    ...{ HOME: directory, PATH: directory },
    ...{ IMPORT_TRACKER_URL: 'http://127.0.0.1:3000/base', IMPORT_TRACKER_TOKEN: 'a-token-0123456789' },
  }
})
afterEach(() => rm(directory, { recursive: true }))

/** An opener that keeps what it is given. */
async function installOpener(status = 0) {
  const file = join(directory, 'xdg-open')
  await writeFile(file, `#!/bin/sh\necho "$@" > '${directory}/opened'\nexit ${status}\n`)
  await chmod(file, 0o755)
  return () => readFile(join(directory, 'opened'), 'utf8')
}

test.runIf(process.platform === 'linux')('the dashboard is opened by the platform’s opener', async () => {
  const opened = await installOpener()
  const { code, stdout } = await runCli(['open'], { ...environment, DISPLAY: ':0' })
  expect({ code, stdout, opened: await opened() }).toEqual({
    code: 0,
    stdout: '',
    opened: 'http://127.0.0.1:3000/base/\n',
  })
})

test.runIf(process.platform === 'linux').each([
  ['there is no opener', async () => {}, { DISPLAY: ':0' }],
  ['there is no display', () => installOpener(), {}],
  ['the opener fails', () => installOpener(3), { DISPLAY: ':0' }],
])('where %s the URL is printed', async (_what, install, given) => {
  await install()
  const { code, stdout } = await runCli(['open'], { ...environment, ...given })
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'http://127.0.0.1:3000/base/\n' })
})

test.runIf(process.platform === 'linux').each(['file:///etc/passwd', 'javascript:alert(1)', '--help'])(
  'a service that says the page is at %s opens nothing',
  async (url) => {
    const opened = await installOpener()
    const server = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ id: 'one', url }))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const service = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const given = { ...environment, IMPORT_TRACKER_URL: service, DISPLAY: ':0' }
    const { code, stdout, stderr } = await runCli(['open', 'import', 'one'], given)
    server.close().closeAllConnections()
    expect({ code, stdout, stderr }).toEqual({
      code: 1,
      stdout: '',
      stderr: 'The service gave no http(s):// URL of a page.\n',
    })
    await expect(opened()).rejects.toThrow('ENOENT')
  },
)

test('--print only prints', async () => {
  const opened = await installOpener()
  const { stdout } = await runCli(['open', '--print'], { ...environment, DISPLAY: ':0' })
  expect(stdout).toBe('http://127.0.0.1:3000/base/\n')
  await expect(opened()).rejects.toThrow('ENOENT')
})

test('a URL of the service that is none is wrong usage', async () => {
  const { code, stderr } = await runCli(['open'], { ...environment, IMPORT_TRACKER_URL: 'nonsense' })
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(/^The URL of the service must be /) })
})

test.each([[['planet']], [['import']]])('%j is wrong usage', async (args) => {
  expect((await runCli(['open', ...args], environment)).code).toBe(2)
})
