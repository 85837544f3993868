// The package as it is installed: what `npm pack` makes, below node_modules, where Node strips no types.
import { chmod, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { commandTable } from './cli/command-table.ts'
import { runEveryVerb } from './cli/every-verb.ts'
import { startCommand } from './cli/run.ts'
import { install, pack, project } from './packed.ts'
import { createTestDatabase } from './support/database.ts'

let directory: string
let packed: string
let app: string
let installed: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'import-tracker-pack-'))
  await chmod(directory, 0o755) // an embedded Postgres may run as another user
  packed = await pack(join(directory, 'sources'))
  app = join(directory, 'app')
  installed = await install(packed, app)
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

test('from an empty folder it serves, and every command does its work', async () => {
  const bin = join(app, 'node_modules/.bin/import-tracker')
  const environment = { HOME: app, PATH: `${dirname(process.execPath)}:${process.env.PATH}`, TMPDIR: directory }
  const start = (args: readonly string[], given: Record<string, string>, input?: string) =>
    startCommand([bin, ...args], { ...environment, ...given }, { input, cwd: app })
  const database = await createTestDatabase()
  try {
    const ran = await runEveryVerb({ start, folder: app, databaseUrl: database.url })
    expect([...ran].sort()).toEqual(await commandTable((args) => start(args, {})))
  } finally {
    await database.close()
  }
})

async function filesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + (folder.endsWith('/') ? 0 : 1)))
    .sort()
}
