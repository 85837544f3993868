// Clients that other people's generators make of the API's document: they compile under --strict, and work.
import { execFile } from 'node:child_process'
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { registerHooks } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { useApi } from '../support/worlds/api.ts'
import { adminToken, unique } from '../support/worlds/ground.ts'

const api = useApi()
const project = fileURLToPath(new URL('../..', import.meta.url))
const run = promisify(execFile)
let folder: string

/** Loaded by name, so that nothing but this test needs them. */
const generators: Record<'heyApi' | 'orval', string> = { heyApi: '@hey-api/openapi-ts', orval: 'orval' }

// Both work with the compiler's classic API, which TypeScript has had until version 5.
registerHooks({
  resolve: (specifier, context, next) => next(specifier === 'typescript' ? 'typescript-5' : specifier, context),
})

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'import-tracker-clients-'))
  await symlink(join(project, 'node_modules'), join(folder, 'node_modules'))
  await writeFile(join(folder, 'package.json'), '{"type":"module"}')
  const input = join(folder, 'openapi.json')
  await writeFile(input, JSON.stringify((await api.send('/openapi.json')).body))
  const heyApi = (await import(generators.heyApi)) as { createClient(config: object): Promise<unknown> }
  const plugins = ['@hey-api/client-fetch', '@hey-api/typescript', '@hey-api/sdk', 'zod'] as const
  const output = { path: join(folder, 'hey-api'), importFileExtension: '.ts' as const }
  await heyApi.createClient({ input, output, plugins: [...plugins], logs: { level: 'silent', file: false } })
  const orval = (await import(generators.orval)) as { generate(config: object): Promise<unknown> }
  for (const client of ['fetch', 'zod'] as const)
    await orval.generate({
      input: { target: input },
      output: { target: join(folder, `orval-${client}.ts`), client, mode: 'single' },
    })
})
afterAll(() => rm(folder, { recursive: true }))

/** Each registers an import, stops it, waits for it and lists; and says what it got. */
const programs = {
  'hey-api': `
    import { client } from './hey-api/client.gen.ts'
    import { getImport, listEvents, listImports, registerImport, stopImport } from './hey-api/sdk.gen.ts'
    const [baseUrl = '', auth = '', connection = '', jobId = ''] = process.argv.slice(2)
    client.setConfig({ baseUrl, auth })
    const throwOnError = true
    const { data: one } = await registerImport({ body: { connection, jobId, metadata: { run: 42 } }, throwOnError })
    const path = { id: one.id }
    await stopImport({ path, throwOnError })
    const { data: waited } = await getImport({ path, query: { waitMs: 1000 }, throwOnError })
    const { data: listed } = await listImports({ query: { connection }, throwOnError })
    const { data: events } = await listEvents({ query: { connection }, throwOnError })
    const [stopped] = events.data
    const told = stopped?.type === 'import.stopped' ? stopped.data.jobId : null
    console.log(JSON.stringify([waited.state, listed.data.map(({ id }) => id === one.id), told]))`,
  orval: `
    import { getImport, listEvents, listImports, registerImport, stopImport } from './orval-fetch.ts'
    const [baseUrl = '', token = '', connection = '', jobId = ''] = process.argv.slice(2)
    const send = fetch
    globalThis.fetch = (path, init) =>
      send(baseUrl + path, { ...init, headers: { ...init?.headers, authorization: 'Bearer ' + token } })
    const registered = await registerImport({ connection, jobId, metadata: { run: 42 } })
    if (registered.status !== 201) throw new Error('refused')
    const { id } = registered.data
    await stopImport(id)
    const waited = await getImport(id, { waitMs: 1000 })
    const listed = await listImports({ connection })
    const events = await listEvents({ connection })
    if (waited.status !== 200 || listed.status !== 200 || events.status !== 200) throw new Error('refused')
    const [stopped] = events.data.data
    const told = stopped?.type === 'import.stopped' ? stopped.data.jobId : null
    console.log(JSON.stringify([waited.data.state, listed.data.data.map((one) => one.id === id), told]))`,
}

test('they compile under --strict, zod schemas too', async () => {
  for (const [name, program] of Object.entries(programs)) await writeFile(join(folder, `${name}.ts`), program)
  const compilerOptions = {
    strict: true,
    noEmit: true,
    target: 'ES2024',
    module: 'NodeNext',
    allowImportingTsExtensions: true,
    types: ['node'],
    skipLibCheck: true,
  }
  const include = ['*.ts', 'hey-api/**/*.ts']
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include }))
  const tsc = join(project, 'node_modules/.bin/tsc')
  const { stdout } = await run(process.execPath, [tsc, '--checkers', '1', '-p', folder, '--pretty', 'false']).catch(
    (error) => error,
  )
  expect(stdout).toBe('')
})

test.each(Object.keys(programs) as (keyof typeof programs)[])('%s registers, waits and lists', async (name) => {
  const connection = await api.putConnection()
  const jobId = unique('job')
  await writeFile(join(folder, `${name}.ts`), programs[name])
  const args = [join(folder, `${name}.ts`), api.url, adminToken, connection, jobId]
  const { stdout } = await run(process.execPath, ['--experimental-transform-types', '--no-warnings', ...args])
  expect(JSON.parse(stdout)).toEqual(['stopped', [true], jobId])
})
