// The package as it is installed: what `npm pack` makes, below node_modules, where Node strips no types.
import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, rm, stat, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startScript } from './cli/run.ts'

const project = fileURLToPath(new URL('..', import.meta.url))
const run = promisify(execFile)

let directory: string
let packed: string
let installed: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'import-tracker-pack-'))
  packed = await pack(join(directory, 'sources'))
  installed = join(directory, 'app/node_modules/import-tracker')
  await mkdir(installed, { recursive: true })
  await run('tar', ['-xzf', packed, '-C', installed, '--strip-components=1'])
})
afterAll(() => rm(directory, { recursive: true }))

test('it holds what the sources are built to, what they read, and nothing else', async () => {
  expect((await stat(packed)).size).toBeLessThan(3_000_000)
  const files = await filesOf(installed)
  const sources = (await filesOf(join(project, 'src'))).filter((file) => file !== 'main.ts')
  const client = await filesOf(join(project, 'packages/client/src'))
  const built = [...sources.map((file) => `src/${file}`), ...client.map((file) => `packages/client/src/${file}`)]
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => [file.replace(/ts$/, 'js'), file.replace(/ts$/, 'd.ts')])
  const read = [
    ...(await filesOf(join(project, 'src/http/assets'))).map((file) => `src/http/assets/${file}`),
    ...(await filesOf(join(project, 'providers'))).map((file) => `providers/${file}`),
    ...(await filesOf(join(project, 'migrations')))
      .filter((file) => !file.endsWith('_snapshot.json'))
      .map((file) => `migrations/${file}`),
  ]
  const beside = ['CHANGELOG.md', 'LICENSE', 'README.md', 'openapi.json', 'package.json', 'src/main.cjs']
  expect(files).toEqual([...built.concat(read).map((file) => `dist/${file}`), ...beside].sort())
})

test('it serves', async () => {
  await symlink(join(project, 'node_modules'), join(installed, 'node_modules'))
  const dataDirectory = join(directory, 'data')
  const service = startScript(join(installed, 'src/main.cjs'), [], { DATA_DIR: dataDirectory, PORT: '0' })
  const [, url] = await service.said(/listens on (\S+);/)
  expect((await fetch(`${url}/readyz`)).status).toBe(200)
  expect((await fetch(`${url}/docs`)).status).toBe(200)
  expect((await fetch(`${url}/assets/style.css`)).status).toBe(200)
  service.child.kill('SIGTERM')
  expect(await service.exited).toBe(0)
})

/** Made of a copy, so that the project is left alone. */
async function pack(folder: string): Promise<string> {
  const { stdout: tracked } = await run('git', ['ls-files'], { cwd: project })
  const parts = new Set(tracked.split('\n').map((file) => file.split('/')[0] ?? ''))
  for (const part of ['', 'test', 'bench', 'docs']) parts.delete(part)
  for (const part of parts)
    await cp(join(project, part), join(folder, part), { recursive: true, verbatimSymlinks: true })
  await symlink(join(project, 'node_modules'), join(folder, 'node_modules'))
  await run('npm', ['pack', '--offline', '--loglevel=error'], { cwd: folder })
  const name = (await readdir(folder)).find((file) => file.endsWith('.tgz'))
  if (!name) throw new Error('npm pack made nothing.')
  return join(folder, name)
}

async function filesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + (folder.endsWith('/') ? 0 : 1)))
    .sort()
}
