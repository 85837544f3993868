import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'

const project = fileURLToPath(new URL('..', import.meta.url))

/** [file, what it imports, whether it may]. */
const imports: [string, string, boolean][] = [
  ['src/http/server.ts', 'express', true],
  ['src/polling/work.ts', 'express', false],
  ['src/sandbox/server.ts', 'express', false],
  ['src/app/service.ts', 'express', false],

  ['src/egress/agents.ts', 'undici', true],
  ['src/providers/client.ts', 'undici', true],
  ['src/delivering/send.ts', 'undici', true],
  ['src/providers/cdq.ts', 'undici', false],
  ['src/delivering/deliver.ts', 'undici', false],
  ['src/http/server.ts', 'undici', false],
  ['src/base/log.ts', 'undici', false],

  ['src/queue/queues.ts', 'bullmq', true],
  ['src/work/ticks.ts', 'bullmq', true],
  ['src/delivering/work.ts', 'bullmq', true],
  ['src/http/pages/board.ts', 'bullmq', true],
  ['src/http/routes/imports.ts', 'bullmq', false],
  ['src/imports/record.ts', 'bullmq', false],
  ['src/polling/poll.ts', 'bullmq/dist/x', false],

  ['src/imports/record.ts', 'drizzle-orm', true],
  ['src/http/routes/imports.ts', 'drizzle-orm', false],
  ['src/http/pages/board.ts', 'drizzle-orm', false],
  ['src/providers/cdq.ts', 'drizzle-orm/pg-core', false],

  ['src/app/service.ts', './http/server.ts', true],
  ['src/telemetry/metrics.ts', './http/server.ts', false],
  ['src/cli/index.ts', './http/server.ts', false],
  ['src/imports/read.ts', '../http/problem.ts', false],
  ['src/http/routes/imports.ts', '../auth.ts', true],

  ['src/app/service.ts', './polling/worker.ts', true],
  ['src/app/workers.ts', './polling/worker.ts', true],
  ['src/cli/index.ts', './polling/worker.ts', false],
  ['src/http/server.ts', '../webhooks/worker.ts', false],
  ['src/work/ticks.ts', '../polling/worker.ts', false],

  ['src/cli/index.ts', './app.ts', true],
  ['src/http/server.ts', '../app.ts', false],
  ['src/polling/work.ts', '../imports/record.ts', true],
  ['src/polling/work.ts', '../providers/index.ts', true],
  ['src/http/routes/imports.ts', '../../imports/register.ts', true],
  ['src/imports/record.ts', '../webhooks/events.ts', true],
  ['src/imports/record.ts', '../dispatch/nudge.ts', false],
  ['src/delivering/send.ts', '../dispatch/nudge.ts', false],
  ['src/delivering/send.ts', '../egress/agents.ts', true],

  ['src/providers/cdq.ts', '../imports/state.ts', false],
  ['src/providers/client.ts', '../db/client.ts', false],
  ['src/providers/client.ts', '../egress/agents.ts', true],
  ['src/egress/agents.ts', '../providers/index.ts', false],
  ['src/db/schema/imports.ts', '../../imports/state.ts', false],
  ['src/sandbox/server.ts', '../providers/cdq.ts', false],
  ['src/embedded/postgres.ts', '../imports/read.ts', false],
]

let directory: string
let refused: string

/** Each import in a file of its own folder, below a copy of the rules, linted in one go. */
beforeAll(async () => {
  directory = await realpath(await mkdtemp(join(tmpdir(), 'import-tracker-fences-')))
  const rules = JSON.parse(await readFile(join(project, 'biome.json'), 'utf8'))
  await writeFile(join(directory, 'biome.json'), JSON.stringify({ ...rules, vcs: { enabled: false } }))
  await mkdir(join(directory, 'test'))
  await cp(join(project, 'test/fences.jsonc'), join(directory, 'test/fences.jsonc'))
  await symlink(join(project, 'node_modules'), join(directory, 'node_modules'))

  const byFile = Map.groupBy(imports, ([file]) => file)
  for (const [file, lines] of byFile) {
    await mkdir(dirname(join(directory, file)), { recursive: true })
    const text = lines.map(([, source], index) => `export * as x${index} from '${source}'\n`).join('')
    await writeFile(join(directory, file), text)
  }
  refused = await lint(directory)
})
afterAll(() => rm(directory, { recursive: true }))

test.each(imports)('%s imports %s: %s', (file, source, allowed) => {
  const line = 1 + imports.filter(([other]) => other === file).findIndex(([, other]) => other === source)
  expect(refused.includes(`${file}:${line} `)).toBe(!allowed)
})

/** `file:line ` of every import that the rules refuse. */
function lint(folder: string): Promise<string> {
  const biome = join(project, 'node_modules/.bin/biome')
  const only = '--only=style/noRestrictedImports'
  return new Promise((done) => {
    execFile(
      biome,
      ['lint', '--reporter=github', '--max-diagnostics=none', only, 'src'],
      { cwd: folder },
      (_error, output) => {
        const found = output.matchAll(/noRestrictedImports,file=([^,]+),line=(\d+)/g)
        done([...found].map(([, file = '', line]) => `${relative(folder, resolve(folder, file))}:${line} `).join('\n'))
      },
    )
  })
}
