// The commands of the documents are run as they are written, or name what there is. readme.test.ts walks through the
// README, cli/verbs.test.ts through docs/command-line.md, and reporting/ asks the queries.
import { execFile } from 'node:child_process'
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { systemClock } from '../src/base/clock.ts'
import { startSandbox } from '../src/sandbox/server.ts'
import { runCli } from './cli/run.ts'
import { useApi } from './support/worlds/api.ts'
import { adminToken } from './support/worlds/ground.ts'

const project = fileURLToPath(new URL('..', import.meta.url))
const run = promisify(execFile)
const api = useApi()

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'import-tracker-commands-'))
})
afterAll(() => rm(folder, { recursive: true }))

const walked = ['README.md', 'docs/command-line.md']
const served = ['docs/sandbox.md', 'docs/providers.md']

test('the sandbox plays what docs/sandbox.md says', async () => {
  const sandbox = await startSandbox({ clock: systemClock })
  try {
    for (const block of await blocksOf('docs/sandbox.md', 'sh'))
      await bash(
        block
          .replace(/^npm run sandbox .*$/m, '')
          .replaceAll('localhost:4010', new URL(sandbox.url).host)
          .replace(/\bcurl\b/g, 'curl --silent --show-error --fail-with-body'),
      )
    const added = (await (await fetch(`${sandbox.url}/scripts`)).json()) as { data: { jobId: string }[] }
    expect(added.data.map(({ jobId }) => jobId).sort()).toEqual(['clock-ahead', 'demo-1', 'demo-2'])
  } finally {
    await sandbox.close()
  }
})

test('the document of docs/providers.md is taken, and tried', async () => {
  const [document = ''] = await blocksOf('docs/providers.md', 'json')
  await writeFile(join(folder, 'acme.json'), document)
  const answers = []
  for (const block of await blocksOf('docs/providers.md', 'sh'))
    answers.push(
      await bash(
        block
          .replaceAll('localhost:3000', new URL(api.url).host)
          .replace(/\bcurl\b/g, "curl --silent --show-error --fail-with-body --write-out '\\n'"),
        { ADMIN_TOKEN: adminToken },
      ),
    )
  const [put, tried] = answers
    .join('')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(put).toMatchObject({ name: 'acme', revision: 1 })
  expect(tried).toMatchObject({ report: { state: 'running' }, error: null })
})

const { redisUrl } = inject('services')

test.skipIf(redisUrl === null)('the keys of earlier versions are deleted as docs/operating.md says', async () => {
  const cli = join(folder, 'redis-cli')
  await writeFile(cli, `#!/bin/sh\nexec "${await where('redis-cli')}" -u "${redisUrl}" "$@"\n`)
  await chmod(cli, 0o700)
  const key = `import-tracker:commands-test-${process.pid}`
  await bash(`redis-cli set ${key} 1; redis-cli set {${key}} 1`)
  const blocks = (await blocksOf('docs/operating.md', 'sh')).filter((block) => block.startsWith('redis-cli '))
  expect(blocks).toHaveLength(1)
  for (const block of blocks) await bash(block)
  expect(
    (await bash(`redis-cli exists ${key}; redis-cli exists {${key}}; redis-cli del {${key}}`)).split('\n'),
  ).toEqual(['0', '1', '1', ''])
})

test('npm and npx are told what there is', async () => {
  const { scripts } = JSON.parse(await readFile(join(project, 'package.json'), 'utf8'))
  const benches = await readdir(join(project, 'bench'))
  const tests = await readdir(join(project, 'test'), { recursive: true })
  for (const name of await names())
    for (const line of await commandsOf(name)) {
      const [, script, rest = ''] = /\bnpm (?:run )?([\w:]+)(.*)/.exec(line.replace(/#.*/, '')) ?? []
      if (script === undefined || ['ci', 'install', 'pack', 'login', 'publish'].includes(script)) continue
      expect(Object.keys(scripts), line).toContain(script)
      const [, argument = ''] = /-- (?!-)(\S+)/.exec(rest) ?? []
      if (script === 'bench') for (const bench of [argument]) expect(benches, line).toContain(`${bench}.ts`)
      if (script === 'test' && argument !== '') {
        const files = tests.filter((file) => `test/${file}`.startsWith(argument) && file.endsWith('.test.ts'))
        expect(files, line).not.toEqual([])
        const [, title = ''] = /-t '(.+)'/.exec(rest) ?? []
        const texts = await Promise.all(files.map((file) => readFile(join(project, 'test', file), 'utf8')))
        expect(
          texts.some((text) => text.includes(title)),
          line,
        ).toBe(true)
      }
    }
})

test('commands of import-tracker that are not run here exist, with their options', async () => {
  for (const name of (await names()).filter((document) => !walked.includes(document)))
    for (const line of await commandsOf(name)) {
      const [, given] = /\bimport-tracker ([a-z].*)/.exec(line) ?? []
      if (given === undefined) continue
      const words = given.split(/\s+/)
      const verbs = words.slice(0, words.findIndex((word) => !/^[a-z-]+$/.test(word)) >>> 0)
      const { code, stdout } = await runCli([...verbs.filter((word) => !word.startsWith('-')), '--help'], {})
      expect(code, line).toBe(0)
      for (const option of words.filter((word) => word.startsWith('--'))) expect(stdout, line).toContain(option)
    }
})

// The image is built, and docker-compose.yml started, by .ci/run.
test('each block of commands is run here, or is one of those that are checked elsewhere', async () => {
  const others: string[] = []
  for (const name of (await names()).filter((document) => ![...walked, ...served].includes(document)))
    for (const line of (await blocksOf(name, 'sh')).join('').split('\n'))
      if (
        line.trim() !== '' &&
        !/^(?:[A-Z_]+=\S+ |[A-Z_]+=\$\(.*\) )*(npm|npx|psql|createdb|redis-cli|docker compose|export) /.test(`${line} `)
      )
        others.push(`${name}: ${line}`)
  expect(others).toEqual([])
})

async function names(): Promise<string[]> {
  const below = await readdir(join(project, 'docs'), { recursive: true })
  const documents = below.filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`)
  return ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'packages/client/README.md', ...documents]
}

async function blocksOf(name: string, language: string): Promise<string[]> {
  const text = await readFile(join(project, name), 'utf8')
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(([, block = '']) => block)
}

/** Lines of its blocks of commands, and what stands in code between words. */
async function commandsOf(name: string): Promise<string[]> {
  const text = await readFile(join(project, name), 'utf8')
  const blocks = [...text.matchAll(/^```(?:sh)?\n(.*?)^```/gms)].flatMap(([, block = '']) => block.split('\n'))
  const inline = [...text.replace(/^```.*?^```/gms, '').matchAll(/`((?:npm|npx|import-tracker) [^`\n]+)`/g)]
  return [...blocks, ...inline.map(([, code = '']) => code)]
}

async function bash(script: string, environment: Record<string, string> = {}): Promise<string> {
  const env = { PATH: `${folder}:${process.env.PATH}`, ...environment }
  const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', script], { cwd: folder, env })
  return stdout
}

async function where(command: string): Promise<string> {
  return (await run('which', [command])).stdout.trim()
}
