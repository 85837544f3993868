// Owns DATA_DIR itself: where it is, and whether the embedded mode can work in it.
import { constants } from 'node:fs'
import { access, mkdir, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { EmbeddedError } from './error.ts'

/**
 * The directory's absolute path; it is made where it is missing.
 * @throws {EmbeddedError} where it can't be made or written to, or its name would mean something else to PostgreSQL.
 */
export async function openDirectory(dataDir: string): Promise<string> {
  const directory = resolve(dataDir)
  // pg_ctl starts the server by a line of shell, with the path in double quotes.
  if (/["`$\\\n\r]/.test(directory))
    throw new EmbeddedError('DATA_DIR must not hold ", `, $, \\ or a line break, nor may the directories above it.')
  if (Buffer.byteLength(directory) > longestPath)
    throw new EmbeddedError(
      `DATA_DIR must have a path of ${longestPath} bytes at the most: PostgreSQL takes no longer ones.`,
    )
  try {
    await makeDirectory(directory)
    await access(directory, constants.W_OK | constants.X_OK)
  } catch (error) {
    throw new EmbeddedError(`DATA_DIR must be a directory that can be written to: ${(error as Error).message}.`)
  }
  return directory
}

/** PostgreSQL's own limit is 1,023 bytes, for the longest of the paths below. */
const longestPath = 800

/** Step by step: below a file system that takes no directories, such as /proc, Node's own recursive mkdir never ends. */
async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' && dirname(path) !== path) {
      await makeDirectory(dirname(path))
      await mkdir(path).catch(unlessMeanwhileMade)
    } else if (
      !(await stat(path).then(
        (found) => found.isDirectory(),
        () => false,
      ))
    )
      throw error
  }
}

/** Several processes may start at once. */
function unlessMeanwhileMade(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error
}
