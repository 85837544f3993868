// Owns building what is packed: JavaScript with declarations, and the files that it reads, as they lie in a checkout.
import { execFileSync } from 'node:child_process'
import { cpSync, rmSync, writeFileSync } from 'node:fs'
import { apiDocument } from './src/http/operations.ts'

rmSync('dist', { recursive: true, force: true })
execFileSync('tsc', ['--checkers', '1', '-p', 'tsconfig.build.json'], { stdio: 'inherit' })
// main.cjs, which is packed as it is, takes its place.
for (const name of ['main.js', 'main.d.ts']) rmSync(`dist/src/${name}`, { force: true })
cpSync('src/http/assets', 'dist/src/http/assets', { recursive: true })
// Of Drizzle's metadata only the journal is read.
cpSync('migrations', 'dist/migrations', { recursive: true, filter: (path) => !path.endsWith('_snapshot.json') })
cpSync('providers', 'dist/providers', { recursive: true })
writeFileSync('openapi.json', `${JSON.stringify(apiDocument(), null, 2)}\n`)
