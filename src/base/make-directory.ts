// Owns making a directory with those above it.
import { mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * Makes directories step by step: Node's recursive mkdir never ends below a file system without directories, such as
 * /proc.
 */
export async function makeDirectory(path: string, mode?: number): Promise<void> {
  try {
    await mkdir(path, mode)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' && dirname(path) !== path) {
      await makeDirectory(dirname(path), mode)
      await mkdir(path, mode).catch(unlessMeanwhileMade)
    } else if (
      !(await stat(path).then(
        (found) => found.isDirectory(),
        () => false,
      ))
    )
      throw error
  }
}

/** Several processes may start at once, and another may have made the directory. */
function unlessMeanwhileMade(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error
}
