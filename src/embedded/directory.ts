// Owns DATA_DIR: its path, and whether the embedded mode can work in it.
import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { resolve } from 'node:path'
import { makeDirectory } from '../base/make-directory.ts'
import { EmbeddedError } from './error.ts'

/**
 * Returns the directory's absolute path, and makes the directory if it is missing.
 * @throws {EmbeddedError} if it can't be made or written to, or if PostgreSQL would misread its name.
 */
export async function openDirectory(dataDir: string): Promise<string> {
  const directory = resolve(dataDir)
  // pg_ctl starts the server by a line of shell that puts the path in double quotes.
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
