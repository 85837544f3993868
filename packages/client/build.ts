// Owns building the package: one file of JavaScript, and the declarations that it needs. Both are small, because
// consumers download them.

import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { buildSync } from 'esbuild'

const folder = new URL('.', import.meta.url)
const dist = new URL('dist/', folder)
/** It has types alone, so it is a declaration as it is, and tsc's would be longer. */
const schema = new URL('src/schema.ts', folder)

rmSync(dist, { recursive: true, force: true })
buildSync({
  absWorkingDir: folder.pathname,
  entryPoints: ['src/index.ts'],
  outfile: 'dist/index.js',
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2022',
})
execFileSync('tsc', ['--checkers', '1', '-p', '.', '--emitDeclarationOnly'], { cwd: folder, stdio: 'inherit' })

const declarations = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.d.ts'))
const needed = neededFrom('index.d.ts')
for (const name of declarations) {
  const file = new URL(name, dist)
  if (!needed.has(file.href)) rmSync(file)
  else if (name === 'schema.d.ts') writeFileSync(file, finished(readFileSync(schema, 'utf8'), 2))
  else writeFileSync(file, finished(readFileSync(file, 'utf8'), 4))
}

/** Returns the declarations that one leads to, itself included. */
function neededFrom(name: string): Set<string> {
  const found = new Set([new URL(name, dist).href])
  for (const file of found) // those that are added are visited, too
    for (const [, source = ''] of readFileSync(new URL(file), 'utf8').matchAll(
      /(?:from |import\()['"](\.[^'"]+)\.ts['"]/g,
    ))
      found.add(new URL(`${source}.d.ts`, file).href)
  return found
}

/** Returns a declaration narrowly indented, with the names that its imports have in the package. */
function finished(text: string, indent: number): string {
  const narrow = text.replace(/^ +/gm, ({ length }) => '\t'.repeat(length / indent) + ' '.repeat(length % indent))
  return narrow.replace(/(?<=(?:from |import\()['"]\.[^'"]+)\.ts(?=['"])/g, '.js')
}
