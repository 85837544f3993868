// Owns DATA_DIR itself: where it is, and whether the embedded mode can work in it.
import { constants } from 'node:fs'
import { access, mkdir } from 'node:fs/promises'
import { resolve } from 'node:path'
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
  try {
    await mkdir(directory, { recursive: true })
    await access(directory, constants.W_OK | constants.X_OK)
  } catch (error) {
    throw new EmbeddedError(`DATA_DIR must be a directory that can be written to: ${(error as Error).message}.`)
  }
  return directory
}
