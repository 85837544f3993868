// Owns packing the service in tests, as `npm pack` does, and installing it where nothing of this checkout is.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

export const project = fileURLToPath(new URL('..', import.meta.url))
const run = promisify(execFile)

/** Makes the package of a copy, so that the project is left alone. Returns the packed file. */
export async function pack(folder: string): Promise<string> {
  const { stdout: tracked } = await run('git', ['ls-files'], { cwd: project })
  const parts = new Set(tracked.split('\n').map((file) => file.split('/')[0] ?? ''))
  for (const part of ['', 'test', 'bench', 'docs']) parts.delete(part)
  for (const part of parts)
    await cp(join(project, part), join(folder, part), { recursive: true, verbatimSymlinks: true })
  await symlink(join(project, 'node_modules'), join(folder, 'node_modules'))
  await run('npm', ['pack', '--offline', '--loglevel=error'], { cwd: folder })
  const name = (await readdir(folder)).find((file) => file.endsWith('.tgz'))
  if (!name) throw new Error('npm pack made nothing.')
  return join(folder, name)
}

/**
 * Lays out an installation: the package, and copies of what it depends on, as the lockfile has them. npm links the
 * command. No registry is asked. Returns the folder of the package.
 */
export async function install(packed: string, app: string): Promise<string> {
  const installed = join(app, 'node_modules/import-tracker')
  await mkdir(installed, { recursive: true })
  await run('tar', ['-xzf', packed, '-C', installed, '--strip-components=1'])
  const lock = JSON.parse(await readFile(join(project, 'package-lock.json'), 'utf8'))
  const packages = Object.entries(lock.packages as Record<string, { dev?: boolean; link?: boolean }>)
  for (const [path, { dev, link }] of packages) {
    const isOwn = /^node_modules\/((?:@[^/]+\/)?[^/]+)$/.test(path)
    if (!isOwn || dev || link || !existsSync(join(project, path))) continue
    await mkdir(dirname(join(app, path)), { recursive: true })
    await cp(join(project, path), join(app, path), { recursive: true, verbatimSymlinks: true })
  }
  await writeFile(join(app, 'package.json'), JSON.stringify({ dependencies: { 'import-tracker': '*' } }))
  await run('npm', ['rebuild', '--offline', '--ignore-scripts', '--loglevel=error', 'import-tracker'], { cwd: app })
  return installed
}
