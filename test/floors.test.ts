// Owns that the house of `src` has floors: imports, those of types too, lead to a lower floor or stay in their room, so
// that rooms of one floor don't know each other and there are no circles. And that each package has its place.
import { readdir, readFile } from 'node:fs/promises'
import { posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { preProcessFile } from 'typescript-5'
import { beforeAll, expect, test } from 'vitest'

/**
 * From the top down. A room is a folder of `src`; `main` is what stands in `src` itself, and `client` is the package of
 * that name, which knows nothing of the service.
 */
const floors = `
  main
  cli
  demo
  app
  http polling collecting delivering
  imports connections webhooks tokens
  budget events history reporting telemetry baselines catalog
  work actions
  queue
  db providers embedded terminal
  api config egress model sandbox
  base
  client
`
  .trim()
  .split('\n')
  .map((floor) => floor.trim().split(' '))

/** Rooms that only these come into: the app composes HTTP and the kinds of work, and the sandbox is none of its own. */
const doors: Record<string, readonly string[]> = {
  http: ['app'],
  polling: ['app'],
  collecting: ['app'],
  delivering: ['app'],
  sandbox: ['cli', 'demo'],
}

/** The rooms, or files, that may use a package. */
const places: Record<string, readonly string[]> = {
  express: ['http'],
  undici: ['egress', 'delivering/send.ts'],
  bullmq: ['queue'],
  '@bull-board': ['http/pages/board.ts'],
  ioredis: ['queue'],
  'prom-client': ['telemetry'],
  commander: ['cli'],
  // Where tables are read.
  'drizzle-orm': [
    ...['app', 'polling', 'collecting', 'delivering', 'imports', 'connections', 'webhooks', 'tokens'],
    ...['budget', 'events', 'history', 'reporting', 'baselines', 'catalog', 'work', 'actions', 'db'],
  ],
}

type Import = [file: string, source: string]

let imports: Import[]
beforeAll(async () => {
  const src = fileURLToPath(new URL('../src/', import.meta.url))
  const files = (await readdir(src, { recursive: true })).filter((name) => /\.(ts|cjs)$/.test(name))
  const read = files.map(async (file) => importsOf(file, await readFile(src + file, 'utf8')))
  imports = (await Promise.all(read)).flat()
})

test('every import leads to a lower floor or stays in its room', () => {
  expect(imports.length).toBeGreaterThan(500)
  expect(imports.flatMap(upwards)).toEqual([])
})

test('the client knows nothing of the service', async () => {
  const folder = fileURLToPath(new URL('../packages/client/src/', import.meta.url))
  const files = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.ts'))
  const read = files.map(async (file) => importsOf(file, await readFile(folder + file, 'utf8')))
  const outside = (await Promise.all(read))
    .flat()
    .filter(([file, source]) => !source.startsWith('.') || posix.join(posix.dirname(file), source).startsWith('..'))
  expect(outside).toEqual([])
})

test('every package has its place', () => {
  expect(imports.flatMap(outOfPlace)).toEqual([])
})

test.each([
  ['is static', "import { startService } from '../app/service.ts'"],
  ['is of types', "import type { Service } from '../app/service.ts'"],
  ['is over several lines', "import {\n  type Service,\n} from '../app/service.ts'"],
  ['is of a type in place', "let service: import('../app/service.ts').Service"],
  ['is dynamic', "const service = await import('../app/service.ts')"],
  ['is passed on', "export type { Service } from '../app/service.ts'"],
  ['has no name', "import '../app/service.ts'"],
])('an import upwards is found that %s', (_how, text) => {
  expect(importsOf('db/client.ts', text).flatMap(upwards)).toEqual(['db/client.ts -> app/service.ts'])
})

test.each([
  ['imports/read.ts', '../connections/read.ts', 'imports/read.ts -> connections/read.ts'], // of one floor
  ['http/routes/imports.ts', '../../polling/work.ts', 'http/routes/imports.ts -> polling/work.ts'],
  ['work/ticks.ts', '../imports/settle.ts', 'work/ticks.ts -> imports/settle.ts'],
  ['cli/index.ts', '../http/server.ts', 'cli/index.ts -> http/server.ts, where only app may come in'],
  ['app/service.ts', '../sandbox/server.ts', 'app/service.ts -> sandbox/server.ts, where only cli, demo may come in'],
  ['attic/trunk.ts', '../base/ids.ts', 'attic has no floor'],
  ['app/service.ts', '../attic/trunk.ts', 'attic has no floor'],
  ['app/service.ts', '../main.ts', 'app/service.ts -> main.ts'],
])('%s may not import %s', (file, source, said) => {
  expect(importsOf(file, `import '${source}'`).flatMap(upwards)).toEqual([said])
})

test.each([
  ['polling/work.ts', 'express'],
  ['sandbox/server.ts', 'express/lib/router'],
  ['delivering/work.ts', 'undici'],
  ['work/ticks.ts', 'bullmq'],
  ['http/pages/dashboard.ts', '@bull-board/api'],
  ['http/routes/imports.ts', 'drizzle-orm'],
  ['providers/cdq.ts', 'drizzle-orm/pg-core'],
])('%s may not use %s', (file, source) => {
  expect(importsOf(file, `import type { Some } from '${source}'`).flatMap(outOfPlace)).toEqual([`${file} -> ${source}`])
})

const levels = new Map(floors.flatMap((rooms, level) => rooms.map((room) => [room, level] as const)))

/** What is wrong with an import of another file, if anything. */
function upwards([file, source]: Import): string[] {
  if (!source.startsWith('.')) return []
  const target = posix.join(posix.dirname(file), source)
  const [from, to] = [roomOf(file), roomOf(target)]
  if (from === to) return []
  const unknown = [from, to].filter((room) => !levels.has(room))
  if (unknown.length > 0) return unknown.map((room) => `${room} has no floor`)
  const isDown = (levels.get(to) ?? 0) > (levels.get(from) ?? 0)
  if (!isDown) return [`${file} -> ${target}`]
  const guests = doors[to]
  if (!guests || guests.includes(from)) return []
  return [`${file} -> ${target}, where only ${guests.join(', ')} may come in`]
}

function outOfPlace([file, source]: Import): string[] {
  const name = Object.keys(places).find((one) => source === one || source.startsWith(`${one}/`))
  if (name === undefined) return []
  return places[name]?.some((place) => place === file || place === roomOf(file)) ? [] : [`${file} -> ${source}`]
}

function roomOf(file: string): string {
  if (file.startsWith('../packages/client/')) return 'client'
  return file.includes('/') ? (file.split('/')[0] ?? '') : 'main'
}

/** As TypeScript finds them: static, dynamic and passed on, of values and of types. */
function importsOf(file: string, text: string): Import[] {
  return preProcessFile(text, true, true).importedFiles.map(({ fileName }) => [file, fileName])
}
