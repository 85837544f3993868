// What a client's generator makes of the document: types that compile, refuse what the API refuses, and ask for no more.
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { registerHooks } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { useApi } from '../support/worlds/api.ts'

const api = useApi()
const tsc = fileURLToPath(new URL('../../node_modules/.bin/tsc', import.meta.url))
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'import-tracker-generated-'))
  await writeFile(join(folder, 'api.d.ts'), await generate((await api.send('/openapi.json')).body))
  const compilerOptions = { strict: true, noEmit: true, exactOptionalPropertyTypes: true, types: [], lib: ['ES2024'] }
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }))
})
afterAll(() => rm(folder, { recursive: true }))

test('types that are generated from the document let through what the API takes, and compile', async () => {
  const taken = `
    const cdq: Put = { provider: 'cdq', credentials: { apiKey: 'k' } }
    const limited: Put = { ...cdq, limits: { requestsPerSecond: 2 }, settings: {} }
    const micro: Put = { provider: 'micro', credentials: { apiKey: 'k' }, settings: { teamId: 'id' } }
    const zilliant: Put = { provider: 'zilliant', baseUrl: 'https://a', credentials: { tokenResponse: '{}' } }
    const fullstory: Put = { provider: 'fullstory', credentials: { apiKey: 'k' }, settings: { resource: 'users' } }
    const shopify: Put = { provider: 'shopify', baseUrl: 'https://a', credentials: { accessToken: 'k' } }
    const zendesk: Put = { provider: 'zendesk', baseUrl: 'https://a', credentials: { email: 'e', apiToken: 'k' } }
    const any: AnyPut = cdq
    const uploaded: AnyPut = { provider: 'acme', credentials: { key: 'k' }, settings: { deep: { er: 1 } } }
    const one: Patch = { limits: { requestsPerMonth: 5, maxInFlight: null } }
    const other: Patch = { credentials: { tokenResponse: '{}' }, baseUrl: null }
    const endpoint: Body<'/v1/webhook-endpoints', 'post'> = { url: 'https://a' }
    const everything: Body<'/v1/webhook-endpoints', 'post'> = { url: 'https://a', headers: { a: 'b' }, metadata: null }
    const replay: Body<'/v1/webhook-endpoints/{id}/replay', 'post'> = {}
    const resume: Body<'/v1/imports/{id}/resume', 'post'> = {}
    const forced: Body<'/v1/imports/{id}/resume', 'post'> = { force: true }
    const registered: Body<'/v1/imports', 'post'> = { connection: 'a', jobId: 'b', metadata: { mine: [1] } }`
  expect(await compile(taken)).toEqual([])
})

test('and refuse what it refuses', async () => {
  const refused = {
    'credentials of another provider': `{ provider: 'zilliant', baseUrl: 'https://a', credentials: { apiKey: 'k' } }`,
    'no credentials': `{ provider: 'cdq' }`,
    'empty credentials': `{ provider: 'cdq', credentials: {} }`,
    'a credential more': `{ provider: 'cdq', credentials: { apiKey: 'k', user: 'u' } }`,
    'micro without its team': `{ provider: 'micro', credentials: { apiKey: 'k' } }`,
    'zilliant without a base URL': `{ provider: 'zilliant', credentials: { tokenResponse: '{}' } }`,
    'a setting of another provider': `{ provider: 'cdq', credentials: { apiKey: 'k' }, settings: { teamId: 'id' } }`,
    'an unknown value': `{ provider: 'fullstory', credentials: { apiKey: 'k' }, settings: { resource: 'x' } }`,
    'an unknown provider': `{ provider: 'acme', credentials: { apiKey: 'k' } }`,
    'an unknown limit': `{ provider: 'cdq', credentials: { apiKey: 'k' }, limits: { perDay: 1 } }`,
  }
  const lines = Object.entries(refused).map(([what, body], index) => `const _${index}: Put = ${body} // ${what}`)
  const errors = await compile(lines.join('\n'))
  const taken = Object.keys(refused).filter(
    (_what, index) => !errors.some((error) => error.includes(`(${index + firstLine},`)),
  )
  expect(taken, errors.join('\n')).toEqual([])
})

test('no property of a request has a default, which generators would take for one that is always there', async () => {
  const document = (await api.send('/openapi.json')).body
  expect(JSON.stringify(document)).not.toMatch(/"default":(?!\{"description")/)
})

/** Its own types are made of TypeScript 5's, which nothing else here has. */
const generator: string = 'openapi-typescript'
interface Generator {
  default(document: string): Promise<unknown>
  astToString(ast: unknown): string
}

/** @throws where the document is no OpenAPI. */
async function generate(document: object): Promise<string> {
  // The generator works with the compiler's classic API, which TypeScript has had until version 5.
  registerHooks({
    resolve: (specifier, context, next) => next(specifier === 'typescript' ? 'typescript-5' : specifier, context),
  })
  const { astToString, default: openapiTs } = (await import(generator)) as Generator
  return astToString(await openapiTs(JSON.stringify(document)))
}

const types = `import type { components, paths } from './api.d.ts'
type Body<Path extends keyof paths, Method extends keyof paths[Path]> =
  paths[Path][Method] extends { requestBody?: { content: { 'application/json': infer Json } } } ? Json : never
type Put = components['schemas']['PutOwnConnection']
type AnyPut = Body<'/v1/connections/{name}', 'put'>
type Patch = Body<'/v1/connections/{name}', 'patch'>
export {}
`
/** The line of a program that its own first one becomes. */
const firstLine = types.split('\n').length

/** The errors of a program that uses the types, each as `program.ts(line,column): …`. */
async function compile(program: string): Promise<string[]> {
  await writeFile(join(folder, 'program.ts'), types + program)
  const output = await new Promise<string>((resolve) => {
    execFile(process.execPath, [tsc, '--checkers', '1', '--pretty', 'false', '-p', folder], (_error, stdout, stderr) =>
      resolve(stdout + stderr),
    )
  })
  return output.split('\n').filter((line) => line !== '' && !line.startsWith(' '))
}
