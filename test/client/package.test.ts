// The package as a consumer installs it: what `npm pack` makes, below node_modules, where Node strips no types.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newSecret, signatureHeaders } from '../../src/webhooks/signing.ts'
import { installClient, project } from './pack.ts'

const run = promisify(execFile)

let directory: string
let packed: string
let app: string
let installed: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'import-tracker-package-'))
  ;({ packed, app, installed } = await installClient(directory))
})
afterAll(() => rm(directory, { recursive: true }))

test('it holds JavaScript with declarations and no sources, in less than 60 kB, and depends on nothing', async () => {
  const files = await readdir(installed, { recursive: true, withFileTypes: true })
  const paths = files.filter((file) => file.isFile()).map((file) => join(file.parentPath, file.name))
  const names = paths.map((path) => relative(installed, path)).sort()
  expect(names.filter((name) => !/^dist\/.*(\.js|\.d\.ts)$/.test(name))).toEqual([
    'LICENSE',
    'README.md',
    'package.json',
  ])
  expect(names).toEqual(expect.arrayContaining(['dist/index.js', 'dist/index.d.ts', 'dist/webhooks/verify.d.ts']))
  const sizes = await Promise.all(paths.map(async (path) => (await stat(path)).size))
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(60_000)
  const manifest = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8'))
  expect(manifest).not.toHaveProperty('dependencies')
})

// Loaded by name, so that nothing but this test needs them.
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
    problems: { kind: string }[]
  }
  // It is an ES module, which require() loads from Node 20.19 on.
  expect(problems.filter(({ kind }) => kind !== 'CJSResolvesToESM')).toEqual([])
})

const receiver = `
  import { verifyWebhook, WebhookVerificationError } from 'import-tracker-client'
  const { body, headers, secret } = JSON.parse(process.argv[2])
  const { id, type } = verifyWebhook(body, headers, secret)
  try {
    verifyWebhook(body + ' ', new Headers(headers), [secret])
  } catch (error) {
    if (error instanceof WebhookVerificationError) console.log(JSON.stringify({ id, type, code: error.code }))
  }`

const nodes = { 'the Node of this project': process.execPath, 'the Node of the system': '/usr/bin/node' }
for (const [name, node] of Object.entries(nodes))
  test.skipIf(!existsSync(node))(
    `it verifies in plain JavaScript under ${name}, with nothing else installed`,
    async () => {
      const secret = newSecret()
      const body = JSON.stringify({ type: 'import.lost', timestamp: new Date().toISOString(), data: { id: '1' } })
      const headers = signatureHeaders({ id: 'evt', at: new Date(), body }, [secret])
      await writeFile(join(app, 'receiver.mjs'), receiver)
      const { stdout } = await run(node, ['receiver.mjs', JSON.stringify({ body, headers, secret })], { cwd: app })
      expect(JSON.parse(stdout)).toEqual({ id: 'evt', type: 'import.lost', code: 'no_matching_signature' })
    },
  )

const typed = `
  import { type Import, verifyWebhook, type WebhookEvent, WebhookVerificationError } from 'import-tracker-client'
  export function receive(body: Uint8Array, headers: Record<string, string | string[] | undefined>): string {
    try {
      return summaryOf(verifyWebhook(body, headers, ['whsec_a'], { toleranceS: 60 }))
    } catch (error) {
      if (error instanceof WebhookVerificationError && error.code === 'timestamp_too_old') return 'replayed'
      throw error
    }
  }
  function summaryOf(event: WebhookEvent): string {
    if (event.type === 'import.failed') return nameOf(event.data)
    if (event.type === 'endpoint.disabled') return event.data.url
    if (event.type === 'delivery.exhausted') return event.data.eventId
    // @ts-expect-error: there is no such type
    if (event.type === 'import.exploded') return ''
    // @ts-expect-error: a connection has no rows
    return event.type === 'connection.paused' ? event.data.rows : event.id
  }
  function nameOf({ connection, jobId, rows }: Import): string {
    return connection + jobId + (rows.failed ?? 'unknown')
  }`

test('its types are whole, and tell events apart', async () => {
  await writeFile(join(app, 'receiver.ts'), typed)
  expect(await compiled('receiver.ts', { lib: ['ES2023', 'DOM'], types: [] })).toBe('')
})

test.each(['packages/client/README.md', 'docs/api.md'])('the code of %s compiles as it is written', async (name) => {
  const blocks = [...(await readFile(join(project, name), 'utf8')).matchAll(/^```ts\n(.*?)^```/gms)]
  expect(blocks).toHaveLength(1)
  await writeFile(join(app, 'document.ts'), blocks[0]?.[1] ?? '')
  const node = { types: ['node'], typeRoots: [join(project, 'node_modules/@types')], skipLibCheck: true }
  expect(await compiled('document.ts', node)).toBe('')
})

/** Returns what the compiler says of a file of the app. */
async function compiled(file: string, options: object): Promise<string> {
  const compilerOptions = { module: 'NodeNext', target: 'ES2022', strict: true, noEmit: true, ...options }
  await writeFile(join(app, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: [file] }))
  const { stdout } = await run(join(project, 'node_modules/.bin/tsc'), [], { cwd: app }).catch((error) => error)
  return stdout
}
