// Owns the account that PostgreSQL runs under. PostgreSQL refuses to run as root, so root runs it as `postgres`.
import { stat } from 'node:fs/promises'
import type { Binaries } from './binaries.ts'
import { EmbeddedError } from './error.ts'
import { type Account, ourselves, run } from './run.ts'

const userName = 'postgres'

/**
 * Returns the account for PostgreSQL. A directory that another user owns keeps its owner; one of root's is given to
 * `postgres`.
 * @throws {EmbeddedError} if no account can both own the directory and reach it.
 */
export async function chooseAccount(binaries: Binaries, directory: string): Promise<Account> {
  if (process.getuid?.() !== 0) return ourselves
  const { uid, gid } = await ownerFor(directory)
  for (const account of candidates(uid, gid)) {
    const probe = await run(account, '/bin/sh', [
      '-c',
      'test -w "$1" && "$2" --version',
      'sh',
      directory,
      binaries.postgres,
    ])
    if (probe.code === 0) return account
  }
  throw new EmbeddedError(
    `PostgreSQL refuses to run as root, and the user that would run it (uid ${uid}) can't reach ${directory} and ${binaries.postgres}: start as another user, put both where other users may enter, or set DATABASE_URL.`,
  )
}

/**
 * Returns the same user with more and more privilege: none, then entering and reading any directory, then writing, too.
 * The last two are for a checkout or DATA_DIR below a directory that only root may enter, such as /root.
 */
function candidates(uid: number, gid: number): Account[] {
  const withCapability = (name: string): Account => ({
    prefix: [
      'setpriv',
      `--reuid=${uid}`,
      `--regid=${gid}`,
      '--clear-groups',
      '--securebits=+no_setuid_fixup', // else access(2), which initdb calls, loses the capability
      `--inh-caps=-all,+${name}`,
      `--ambient-caps=-all,+${name}`,
    ],
  })
  return [{ uid, gid, prefix: [] }, withCapability('dac_read_search'), withCapability('dac_override')]
}

async function ownerFor(directory: string): Promise<{ uid: number; gid: number }> {
  const found = await stat(directory)
  if (found.uid !== 0) return { uid: found.uid, gid: found.gid }
  const user = (await findUser()) ?? (await createUser())
  const given = await run(ourselves, 'chown', ['-R', `${user.uid}:${user.gid}`, directory])
  if (given.code !== 0) throw new EmbeddedError(`${directory} can't be given to the user ${userName}: ${given.output}`)
  return user
}

async function findUser(): Promise<{ uid: number; gid: number } | null> {
  const { code, output } = await run(ourselves, '/bin/sh', ['-c', `id -u ${userName} && id -g ${userName}`])
  const [uid, gid] = output.split('\n').map(Number)
  return code === 0 && uid !== undefined && gid !== undefined ? { uid, gid } : null
}

async function createUser(): Promise<{ uid: number; gid: number }> {
  const options = ['--system', '--user-group', '--no-create-home', '--home-dir=/nonexistent']
  const created = await run(ourselves, 'useradd', [...options, '--shell=/usr/sbin/nologin', userName])
  const user = await findUser()
  if (user) return user
  throw new EmbeddedError(
    `PostgreSQL refuses to run as root, and the user ${userName} can't be made (${created.output}): start as another user, or set DATABASE_URL.`,
  )
}
