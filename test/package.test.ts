// The package as it is installed: what `npm pack` makes, below node_modules, where Node strips no types.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
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
}, 600_000)
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
  // A folder that nobody meant to publish shows here, even if it lies below src.
  const folders = new Set(files.map((file) => `${dirname(file)}/`.replace('./', '')))
  const parts = [...folders].filter((folder) => folder !== '').concat(files.filter((file) => !file.includes('/')))
  await expect(`${parts.sort().join('\n')}\n`).toMatchFileSnapshot('package-parts.txt')
})

// Loaded by name, so that nothing but the tests of packages needs them.
const checkers: Record<'publint' | 'attw', string> = { publint: 'publint', attw: '@arethetypeswrong/core' }

test('publint and Are The Types Wrong find nothing', async () => {
  const { publint } = (await import(checkers.publint)) as { publint(options: object): Promise<{ messages: unknown[] }> }
  const { checkPackage, createPackageFromTarballData } = (await import(checkers.attw)) as {
    checkPackage(pack: unknown): Promise<unknown>
    createPackageFromTarballData(data: Uint8Array): unknown
  }
  const tarball = await readFile(packed)
  const { messages } = await publint({ pack: { tarball: new Uint8Array(tarball).buffer }, strict: true })
  expect(messages).toEqual([])
  const { problems } = (await checkPackage(createPackageFromTarballData(new Uint8Array(tarball)))) as {
    problems: { kind: string; resolutionKind?: string }[]
  }
  // What Node before 24 resolves, or require() gets, is nothing that this package promises (attw's profile `esm-only`).
  expect(
    problems.filter(({ kind, resolutionKind = '' }) => !/CJS/.test(kind) && !/node10|cjs/.test(resolutionKind)),
  ).toEqual([])
})

test('it can be published', async () => {
  const manifest = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8'))
  expect(manifest).not.toHaveProperty('private')
  const { version } = JSON.parse(await readFile(join(project, 'packages/client/package.json'), 'utf8'))
  expect(manifest.version).toBe(version)
})

test('it serves, with nothing but the packages that it depends on', async () => {
  await linkDependencies(join(directory, 'app/node_modules'))
  const dataDirectory = join(directory, 'data')
  const service = startScript(join(installed, 'src/main.cjs'), [], { DATA_DIR: dataDirectory, PORT: '0' })
  const [, url] = await service.said(/listens on (\S+);/)
  expect((await fetch(`${url}/readyz`)).status).toBe(200)
  expect((await fetch(`${url}/docs`)).status).toBe(200)
  expect((await fetch(`${url}/assets/style.css`)).status).toBe(200)
  service.child.kill('SIGTERM')
  expect(await service.exited).toBe(0)
})

/** As an installation lays them out: what package.json depends on, and what that depends on; nothing else is found. */
async function linkDependencies(folder: string): Promise<void> {
  const lock = JSON.parse(await readFile(join(project, 'package-lock.json'), 'utf8'))
  const packages = Object.entries(lock.packages as Record<string, { dev?: boolean; link?: boolean }>)
  for (const [path, { dev, link }] of packages) {
    const [, name = ''] = /^node_modules\/((?:@[^/]+\/)?[^/]+)$/.exec(path) ?? []
    if (name === '' || dev || link || !existsSync(join(project, path))) continue
    await mkdir(dirname(join(folder, name)), { recursive: true })
    await symlink(join(project, path), join(folder, name))
  }
}

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
