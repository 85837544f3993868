// Owns the secrets that the embedded mode generates on its first start and keeps in DATA_DIR, readable only by their
// owner.
import { randomBytes } from 'node:crypto'
import { access, link, open, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { environmentSchema } from '../config/config.ts'
import { openDirectory } from './directory.ts'
import { EmbeddedError } from './error.ts'

export interface KeptToken {
  token: string
  file: string
  /** This call generated it. */
  isNew: boolean
}

/**
 * Returns the bootstrap token, kept in `<directory>/admin-token`.
 * @param directory DATA_DIR.
 */
export async function readAdminToken(directory: string): Promise<KeptToken> {
  const file = join(await openDirectory(directory), 'admin-token')
  const isNew = !(await exists(file))
  const text = await readOrMake(file, () => randomBytes(32).toString('base64url'))
  const token = environmentSchema.shape.ADMIN_TOKEN.safeParse(text)
  if (!token.success || token.data === undefined)
    throw new EmbeddedError(`${file} holds no token: delete it to get a new one.`)
  return { token: token.data, file, isNew }
}

/**
 * Returns the keys for stored secrets, kept in `<directory>/encryption-keys` in the form of ENCRYPTION_KEYS. Call it
 * before Postgres starts. If data exist but the keys are missing, it makes no new ones, because those couldn't decrypt
 * the data.
 * @param directory DATA_DIR.
 */
export async function readEncryptionKeys(directory: string): Promise<readonly Buffer[]> {
  const home = await openDirectory(directory)
  const file = join(home, 'encryption-keys')
  if (!(await exists(file)) && (await exists(join(home, 'postgres'))))
    throw new EmbeddedError(
      `${file} is missing, and what is stored can't be read without it: restore it from a backup.`,
    )
  const text = await readOrMake(file, () => randomBytes(32).toString('base64'))
  const keys = environmentSchema.shape.ENCRYPTION_KEYS.safeParse(text)
  if (!keys.success || !keys.data || keys.data.length === 0)
    throw new EmbeddedError(`${file} must hold keys of 32 bytes in base64, comma-separated: restore it from a backup.`)
  return keys.data
}

/**
 * Returns the file's content, and makes the file if it is missing. The file is complete from the moment it has its
 * name. If several processes start at once, one of them makes it.
 */
async function readOrMake(file: string, make: () => string): Promise<string> {
  if (!(await exists(file))) {
    const unfinished = `${file}.new-${randomBytes(4).toString('hex')}`
    const handle = await open(unfinished, 'wx', 0o600)
    try {
      await handle.writeFile(`${make()}\n`)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await link(unfinished, file).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error // otherwise another process was faster
    })
    await rm(unfinished)
  }
  return (await readFile(file, 'utf8')).trim()
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
