// The package as a consumer installs it: what `npm pack` makes, below node_modules, where Node strips no types.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newSecret, signatureHeaders } from '../../../src/webhooks/signing.ts'

const project = fileURLToPath(new URL('../../..', import.meta.url))
const run = promisify(execFile)

let directory: string
let app: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'import-tracker-package-'))
  app = join(directory, 'app')
  const installed = join(app, 'node_modules/import-tracker')
  await mkdir(installed, { recursive: true })
  await run('tar', ['-xzf', await pack(join(directory, 'sources')), '-C', installed, '--strip-components=1'])
}, 60_000)
afterAll(() => rm(directory, { recursive: true }))

test('it holds JavaScript and types for consumers, and no sources', async () => {
  const files = await readdir(join(app, 'node_modules/import-tracker'), { recursive: true })
  expect(files).toContain('dist/webhooks/verify.js')
  expect(files).toContain('dist/webhooks/verify.d.ts')
  expect(files.filter((file) => file.startsWith('src'))).toEqual([])
})

const receiver = `
  import { verifyWebhook, WebhookVerificationError } from 'import-tracker/webhooks'
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
  import { type Import, verifyWebhook, type WebhookEvent, WebhookVerificationError } from 'import-tracker/webhooks'
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
  const compilerOptions = { module: 'NodeNext', target: 'ES2022', strict: true, noEmit: true, types: [] }
  await writeFile(join(app, 'package.json'), JSON.stringify({ type: 'module' }))
  await writeFile(join(app, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['receiver.ts'] }))
  const { stdout } = await run(join(project, 'node_modules/.bin/tsc'), [], { cwd: app }).catch((error) => error)
  expect(stdout).toBe('')
})

/** The package's file, made of a copy, so that the project is left alone. */
async function pack(folder: string): Promise<string> {
  const parts = ['package.json', 'tsconfig.json', 'src/webhooks/consumer']
  for (const part of parts) await cp(join(project, part), join(folder, part), { recursive: true })
  await symlink(join(project, 'node_modules'), join(folder, 'node_modules'))
  const { stdout } = await run('npm', ['pack', '--json', '--offline', '--loglevel=error'], { cwd: folder })
  const name = /"filename": "([^"]+)"/.exec(stdout)?.[1]
  if (!name) throw new Error(`npm pack made nothing: ${stdout}`)
  return join(folder, name)
}
