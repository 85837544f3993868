// Owns what may be wrong with the content of a file, as an error whose message is for people.

/**
 * - `malformed`: it isn't in its format, lacks a column, or ends too early.
 * - `too_large`: it, a record of it, or the number of its records is over a limit.
 * - `slow`: it comes so slowly that nobody waits for it now.
 * - `changed`: it is no longer the file whose beginning is stored.
 */
export class FileError extends Error {
  override name = 'FileError'
  readonly kind: 'malformed' | 'too_large' | 'slow' | 'changed'

  constructor(kind: FileError['kind'], message: string, cause?: unknown) {
    super(message, { cause })
    this.kind = kind
  }
}
