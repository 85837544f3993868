// Owns packing the client in tests, as `npm pack` does, and installing it where nothing else is.
import { execFile } from 'node:child_process'
import { cp, mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

export const project = fileURLToPath(new URL('../..', import.meta.url))
const run = promisify(execFile)

export interface Installed {
  /** The packed file. */
  packed: string
  /** A folder that depends on the package alone. */
  app: string
  /** The package within it. */
  installed: string
}

/** Makes the package of a copy, so that the project is left alone. */
export async function installClient(directory: string): Promise<Installed> {
  const app = join(directory, 'app')
  const installed = join(app, 'node_modules/import-tracker-client')
  await mkdir(installed, { recursive: true })
  const packed = await pack(join(directory, 'sources'))
  await run('tar', ['-xzf', packed, '-C', installed, '--strip-components=1'])
  await writeFile(
    join(app, 'package.json'),
    JSON.stringify({ type: 'module', dependencies: { 'import-tracker-client': '*' } }),
  )
  return { packed, app, installed }
}

async function pack(folder: string): Promise<string> {
  for (const part of ['tsconfig.json', 'packages/client'])
    await cp(join(project, part), join(folder, part), { recursive: true })
  await symlink(join(project, 'node_modules'), join(folder, 'node_modules'))
  const cwd = join(folder, 'packages/client')
  const { stdout } = await run('npm', ['pack', '--json', '--offline', '--loglevel=error'], { cwd })
  const name = /"filename": "([^"]+)"/.exec(stdout)?.[1]
  if (!name) throw new Error(`npm pack made nothing: ${stdout}`)
  return join(cwd, name)
}
