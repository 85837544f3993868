// The README's walk through one import works as it is written.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { systemClock } from '../src/base/clock.ts'
import { startSandbox } from '../src/sandbox/server.ts'
import { main } from './cli/run.ts'
import { createTestDatabase } from './support/database.ts'
import { startTestService } from './support/service.ts'
import { adminToken } from './support/worlds/ground.ts'

const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')

test('the walk through one import works as it is written', async () => {
  const database = await createTestDatabase()
  const service = await startTestService({ database })
  const sandbox = await startSandbox({ clock: systemClock })
  const receiver = createServer((_request, response) => response.writeHead(204).end()).listen(0, '127.0.0.1')
  await once(receiver, 'listening')
  const folder = await mkdtemp(join(tmpdir(), 'import-tracker-readme-'))
  try {
    await writeFile(
      join(folder, 'walk.sh'),
      walk({ service: service.url, sandbox: sandbox.url, receiver: portOf(receiver.address()), folder }),
    )
    const bash = spawn('bash', ['-euo', 'pipefail', 'walk.sh'], {
      cwd: folder,
      env: { PATH: process.env.PATH, IMPORT_TRACKER_URL: service.url, IMPORT_TRACKER_TOKEN: adminToken },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let printed = ''
    bash.stdout.on('data', (chunk) => (printed += chunk))
    bash.stderr.on('data', (chunk) => (printed += chunk))
    const [code] = await once(bash, 'exit')
    expect(code, printed).toBe(0)

    expect(printed).toMatch(/cdq-prod\/vendors-2026-10 partial.*\n.*It ended with the status 3\./s)
    const answers = printed.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []))
    const waited = answers.find((answer) => answer.finishedAt)
    expect(waited).toMatchObject({ state: 'partial', jobId: 'vendors-2026-11', metadata: { run: 42 } })
    await vi.waitFor(
      async () => {
        const events = await get(`${service.url}/v1/imports/${waited.id}/events`)
        expect(events.data.map(({ type }: { type: string }) => type).sort()).toEqual([
          'import.partial',
          'import.rows_collected',
          'import.running',
        ])
        const deliveries = await get(`${service.url}/v1/deliveries?importId=${waited.id}`)
        expect(deliveries.data).toMatchObject([{ type: 'import.partial', state: 'delivered', attempts: 1 }])
      },
      { timeout: 10_000, interval: 100 },
    )
    const csv = (await readFile(join(folder, 'skipped.csv'), 'utf8')).split(/\r?\n/)
    expect(csv[0]).toBe('line,column,page')
    expect(csv.slice(1).filter((line) => line !== '')).toHaveLength(2_500)
    expect(csv.indexOf('')).toBe(2_501) // the end of the last line, and nothing after it
    expect(csv).toHaveLength(2_502)
    expect((await readdir(folder)).sort()).toEqual(['skipped.csv', 'walk.sh'])
  } finally {
    await service.stop()
    await sandbox.close()
    receiver.close()
    await database.close()
    await rm(folder, { recursive: true })
  }
})

/** The section's shell blocks, one after the other, against these servers; files go to `folder`. */
function walk({
  service,
  sandbox,
  receiver,
  folder,
}: {
  service: string
  sandbox: string
  receiver: number
  folder: string
}): string {
  const section = readme.split('\n## ').find((text) => text.startsWith('One import')) ?? ''
  const blocks = [...section.matchAll(/```sh\n(.*?)```/gs)].map(([, block]) => `${block}\necho\n`)
  expect(blocks.length).toBeGreaterThan(5)
  const written = blocks
    .join('')
    .replace('$(cat .import-tracker/admin-token)', adminToken)
    .replaceAll('localhost:3000', new URL(service).host)
    .replaceAll('127.0.0.1:4010', new URL(sandbox).host)
    .replaceAll('localhost:4010', new URL(sandbox).host)
    .replaceAll('/tmp/', `${folder}/`)
    .replaceAll('127.0.0.1:4020', `127.0.0.1:${receiver}`)
  return npx + written
}

/** What `npx` finds in a checkout, which is this project's own command. */
const npx = `npx() { [ "$1" = import-tracker ] && "${process.execPath}" "${main}" "\${@:2}"; }\n`

async function get(url: string) {
  const response = await fetch(url, { headers: { authorization: `Bearer ${adminToken}` } })
  // What the API answers is checked by its own tests.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  return (await response.json()) as any
}

function portOf(address: AddressInfo | string | null): number {
  return typeof address === 'object' && address ? address.port : 0
}
