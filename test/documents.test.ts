// The documents promise nothing that isn't so: the tables, trees, links and commands that a machine can check.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { environmentSchema } from '../src/config/config.ts'
import { transitions } from '../src/model/import-state.ts'

const project = fileURLToPath(new URL('..', import.meta.url))
const run = promisify(execFile)

const documents = new Map<string, string>()
for (const name of await namesOfDocuments()) documents.set(name, await readFile(join(project, name), 'utf8'))

test('the README is read in a quarter of an hour', () => {
  expect(textOf('README.md').split('\n').length).toBeLessThanOrEqual(250)
})

test('the diagram of states is the table of transitions', () => {
  const drawn = [...textOf('docs/api.md').matchAll(/^ {2}(\w+) --> (\w+)$/gm)].map(([, from, to]) => `${from} ${to}`)
  const real = Object.entries(transitions).flatMap(([from, tos]) => tos.map((to) => `${from} ${to}`))
  expect(drawn.sort()).toEqual(real.sort())
})

test('the table of the configuration is its schema', () => {
  const rows = [
    ...section('docs/operating.md', 'Configuration').matchAll(/^\| `([A-Z_]+)` \| (.*?) \| (.*) \|$/gm),
  ].map(([, name, fallback, what]) => ({ name, fallback, what }))
  const real = Object.entries(environmentSchema.shape).map(([name, schema]) => {
    const fallback = schema.safeParse(undefined).data
    return { name, fallback: fallback === undefined ? '' : `\`${fallback}\``, what: schema.description }
  })
  expect(rows).toEqual(real)
})

test('every folder of the sources is in the tree', async () => {
  const { stdout } = await run('git', ['ls-files', 'src'], { cwd: project })
  const folders = new Set(stdout.split('\n').flatMap((file) => file.match(/^src\/([^/]+)\//)?.[1] ?? []))
  const tree = new Set([...textOf('docs/architecture.md').matchAll(/^ {2}(\w+)\/ {2,}/gm)].map(([, folder]) => folder))
  expect([...tree].sort()).toEqual([...folders].sort())
})

test.each([...documents.keys()])('the links of %s lead somewhere', (name) => {
  const broken = linksOf(textOf(name)).filter((link) => {
    const [path = '', anchor] = link.split('#')
    const target = path === '' ? name : normalize(join(dirname(name), path))
    if (!existsSync(join(project, target))) return true
    return anchor !== undefined && !anchorsOf(documents.get(target) ?? '').has(anchor)
  })
  expect(broken).toEqual([])
})

test('every document can be found from the README', () => {
  const found = new Set(['README.md'])
  for (const name of found)
    for (const link of linksOf(documents.get(name) ?? '')) {
      const target = normalize(join(dirname(name), link.split('#')[0] ?? ''))
      if (documents.has(target)) found.add(target)
    }
  expect([...documents.keys()].filter((name) => !found.has(name))).toEqual([])
})

async function namesOfDocuments(): Promise<string[]> {
  const below = await readdir(join(project, 'docs'), { recursive: true })
  const top = await readdir(project)
  return [
    ...top.filter((name) => name.endsWith('.md')),
    ...below.filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`),
    'packages/client/README.md',
  ].sort()
}

function textOf(name: string): string {
  const text = documents.get(name)
  if (text === undefined) throw new Error(`There is no ${name}.`)
  return text
}

function section(name: string, title: string): string {
  const found = textOf(name)
    .split(/^## /m)
    .find((part) => part.startsWith(`${title}\n`))
  if (found === undefined) throw new Error(`${name} has no section ${title}.`)
  return found
}

/** Relative ones, of pictures, too. */
function linksOf(text: string): string[] {
  return [...withoutCode(text).matchAll(/\]\(([^()\s]+)\)/g)]
    .map(([, link = '']) => link)
    .filter((link) => !/^\w+:/.test(link))
}

/** As GitHub makes them of headings: lower case, without punctuation, blanks become hyphens. */
function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>()
  for (const [, heading = ''] of withoutCode(text, false).matchAll(/^#+ (.+)$/gm)) {
    const plain = heading.replace(/\[(.*?)\]\(.*?\)/g, '$1').toLowerCase()
    const anchor = plain.replace(/[^\p{L}\p{N}\s_-]/gu, '').replace(/ /g, '-')
    for (let count = 0; ; count += 1) {
      const next = count === 0 ? anchor : `${anchor}-${count}`
      if (anchors.has(next)) continue
      anchors.add(next)
      break
    }
  }
  return anchors
}

function withoutCode(text: string, isInlineToo = true): string {
  const prose = text.replace(/^```.*?^```$/gms, '')
  return isInlineToo ? prose.replace(/`[^`\n]*`/g, '') : prose
}
