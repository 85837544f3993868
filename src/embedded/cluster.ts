// Owns the files of the embedded PostgreSQL: one directory, complete from the moment it has its name.
//   <directory>/data          the data directory
//   <directory>/password      of the superuser, generated here
//   <directory>/postgres.log  the server's log
import { randomBytes } from 'node:crypto'
import { access, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { chooseAccount } from './account.ts'
import type { Binaries } from './binaries.ts'
import { EmbeddedError } from './error.ts'
import { isAlive } from './postmaster.ts'
import { type Account, run } from './run.ts'

export const superuser = 'postgres'

export interface Cluster {
  account: Account
  data: string
  logFile: string
  password: string
}

/**
 * Returns the cluster in `directory`, and makes it if there is none. If several processes make one at once, one of them
 * wins.
 * @throws {EmbeddedError} if the directory holds something else, or data of another major version.
 */
export async function openCluster(binaries: Binaries, directory: string): Promise<Cluster> {
  await removeUnfinished(directory)
  if (!(await exists(directory))) await createCluster(binaries, directory)
  const data = join(directory, 'data')
  await checkVersion(data, binaries.major)
  return {
    account: await chooseAccount(binaries, directory),
    data,
    logFile: join(directory, 'postgres.log'),
    password: await readPassword(directory),
  }
}

/** Makes the cluster under another name and renames it when it is complete, so that a kill leaves nothing half-made. */
async function createCluster(binaries: Binaries, directory: string): Promise<void> {
  const unfinished = `${directory}.new-${process.pid}-${randomBytes(4).toString('hex')}`
  await mkdir(unfinished, { recursive: true, mode: 0o700 })
  try {
    const password = join(unfinished, 'password')
    await writeFile(password, randomBytes(24).toString('base64url'), { mode: 0o600 })
    const account = await chooseAccount(binaries, unfinished)
    const made = await run(account, binaries.initdb, [
      `--pgdata=${join(unfinished, 'data')}`,
      `--username=${superuser}`,
      `--pwfile=${password}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--locale=C',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--no-instructions',
    ])
    if (made.code !== 0) throw new EmbeddedError(`PostgreSQL's data can't be made in ${directory}: ${made.output}`)
    await rename(unfinished, directory).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error // otherwise another process was faster
    })
  } finally {
    await rm(unfinished, { recursive: true, force: true })
  }
}

/** Removes what a killed process left behind while it was making a cluster. */
async function removeUnfinished(directory: string): Promise<void> {
  const prefix = `${basename(directory)}.new-`
  for (const name of await readdir(dirname(directory))) {
    const isLeft = name.startsWith(prefix) && !isAlive(Number.parseInt(name.slice(prefix.length), 10))
    if (isLeft) await rm(join(dirname(directory), name), { recursive: true, force: true })
  }
}

async function checkVersion(data: string, major: number): Promise<void> {
  const version = await readFile(join(data, 'PG_VERSION'), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error
    throw new EmbeddedError(`${data} is not a PostgreSQL data directory: restore it from a backup, or delete it.`)
  })
  if (version.trim() !== String(major))
    throw new EmbeddedError(
      `${data} was made by PostgreSQL ${version.trim()}, but this is PostgreSQL ${major}: dump it with the old one and restore it here, or choose another DATA_DIR.`,
    )
}

async function readPassword(directory: string): Promise<string> {
  const file = join(directory, 'password')
  const password = (await readFile(file, 'utf8').catch(() => '')).trim()
  if (password === '') throw new EmbeddedError(`${file} is missing or empty: restore it from a backup.`)
  return password
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
