import { readFile, readlink } from 'node:fs/promises'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'

const file = (name: string) => new URL(`../../src/${name}`, import.meta.url)

test('an old Node gets one sentence that says what to do', async () => {
  expect(await startWith('20.19.2')).toEqual({
    said: [
      'Import Tracker needs Node 24 or newer, and this is Node 20.19.2: start it with "npm start", which uses the Node that "npm ci" installs.',
    ],
    code: 1,
  })
})

test('the file that may be started directly is CommonJS under the name of a TypeScript file', async () => {
  expect(await readlink(file('main.ts'))).toBe('main.cjs')
})

/** Runs it as the older Node would; it has to end before it loads anything. */
async function startWith(version: string): Promise<{ said: string[]; code: number | undefined }> {
  const source = (await readFile(file('main.cjs'), 'utf8')).replace(/^#!.*/, '')
  const said: string[] = []
  let code: number | undefined
  const exit = (status: number) => {
    code = status
    throw new Error('exit')
  }
  const context = {
    process: { versions: { node: version }, exit },
    console: { error: (line: string) => said.push(line) },
  }
  expect(() => runInNewContext(source, context)).toThrow('exit')
  return { said, code }
}
