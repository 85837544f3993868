// Owns building the package: JavaScript without comments, and declarations with them, both narrowly indented, because
// consumers download them.
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'

const folder = new URL('.', import.meta.url)
const dist = new URL('dist/', folder)

rmSync(dist, { recursive: true, force: true })
compile('--declaration', 'false', '--removeComments')
compile('--emitDeclarationOnly')
for (const name of readdirSync(dist, { recursive: true, encoding: 'utf8' }))
  if (/\.(js|d\.ts)$/.test(name)) indentNarrowly(new URL(name, dist))

function compile(...options: string[]): void {
  execFileSync('tsc', ['-p', '.', ...options], { cwd: folder, stdio: 'inherit' })
}

function indentNarrowly(file: URL): void {
  const text = readFileSync(file, 'utf8')
  writeFileSync(
    file,
    text.replace(/^( {4})+/gm, (indent) => '\t'.repeat(indent.length / 4)),
  )
}
