// The README promises nothing that isn't so: what a machine can check of it is checked here.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test, vi } from 'vitest'
import { systemClock } from '../src/base/clock.ts'
import { environmentSchema } from '../src/config/config.ts'
import { transitions } from '../src/model/import-state.ts'
import { startSandbox } from '../src/sandbox/server.ts'
import { createTestDatabase } from './support/database.ts'
import { startTestService } from './support/service.ts'
import { adminToken } from './support/worlds/ground.ts'

const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')
const run = promisify(execFile)

test('the diagram of states is the table of transitions', () => {
  const drawn = [...readme.matchAll(/^ {2}(\w+) --> (\w+)$/gm)].map(([, from, to]) => `${from} ${to}`)
  const real = Object.entries(transitions).flatMap(([from, tos]) => tos.map((to) => `${from} ${to}`))
  expect(drawn.sort()).toEqual(real.sort())
})

test('the table of the configuration is its schema', () => {
  const rows = [...readme.matchAll(/^\| `([A-Z_]+)` \| (.*?) \| (.*) \|$/gm)].map(([, name, fallback, what]) => ({
    name,
    fallback,
    what,
  }))
  const real = Object.entries(environmentSchema.shape).map(([name, schema]) => {
    const fallback = schema.safeParse(undefined).data
    return { name, fallback: fallback === undefined ? '' : `\`${fallback}\``, what: schema.description }
  })
  expect(rows).toEqual(real)
})

test('every folder of the sources is in the tree', async () => {
  const { stdout } = await run('git', ['ls-files', 'src'], { cwd: new URL('..', import.meta.url) })
  const folders = new Set(stdout.split('\n').flatMap((file) => file.match(/^src\/([^/]+)\//)?.[1] ?? []))
  const tree = new Set([...readme.matchAll(/^ {2}(\w+)\/ {2,}/gm)].map(([, folder]) => folder))
  expect([...tree].sort()).toEqual([...folders].sort())
})

test('the walk through one import works as it is written', { timeout: 240_000 }, async () => {
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
    const bash = spawn('bash', ['-euo', 'pipefail', 'walk.sh'], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
    let printed = ''
    bash.stdout.on('data', (chunk) => (printed += chunk))
    bash.stderr.on('data', (chunk) => (printed += chunk))
    const [code] = await once(bash, 'exit')
    expect(code, printed).toBe(0)

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
  expect(blocks.length).toBeGreaterThan(4)
  return blocks
    .join('')
    .replace('$(cat .import-tracker/admin-token)', adminToken)
    .replaceAll('localhost:3000', new URL(service).host)
    .replaceAll('127.0.0.1:4010', new URL(sandbox).host)
    .replaceAll('localhost:4010', new URL(sandbox).host)
    .replaceAll('/tmp/', `${folder}/`)
    .replaceAll('127.0.0.1:4020', `127.0.0.1:${receiver}`)
}

async function get(url: string) {
  const response = await fetch(url, { headers: { authorization: `Bearer ${adminToken}` } })
  // What the API answers is checked by its own tests.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  return (await response.json()) as any
}

function portOf(address: AddressInfo | string | null): number {
  return typeof address === 'object' && address ? address.port : 0
}
