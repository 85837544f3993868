// Owns running PostgreSQL's programs: under the right account, and out of reach of the terminal's Ctrl-C.
import { spawn } from 'node:child_process'

/** The account that a program runs under. Without `uid` it is ours. `prefix` is a command that runs the rest. */
export interface Account {
  uid?: number
  gid?: number
  prefix: readonly string[]
}

export const ourselves: Account = { prefix: [] }

/**
 * Runs a program to its end. It gets a session of its own, so that Ctrl-C ends it only through us. It gets none of our
 * environment, where PGPORT and the like would change its behaviour.
 */
export function run(
  account: Account,
  program: string,
  args: readonly string[],
): Promise<{ code: number | null; output: string }> {
  const [command = program, ...rest] = [...account.prefix, program, ...args]
  return new Promise((resolve) => {
    const child = spawn(command, rest, {
      cwd: '/',
      detached: true,
      env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(account.uid === undefined ? {} : { uid: account.uid, gid: account.gid }),
    })
    let output = ''
    const keep = (chunk: Buffer) => {
      output += chunk.toString('utf8')
    }
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    child.on('error', (error) => resolve({ code: null, output: error.message }))
    child.on('close', (code) => resolve({ code, output: output.trim() }))
  })
}
