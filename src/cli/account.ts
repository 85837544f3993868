// Owns which service a command asks, and with which token: the environment, a profile that `login` keeps, or the
// embedded service beside it.
import { randomBytes } from 'node:crypto'
import { chmod, readFile, rename, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, isAbsolute, join } from 'node:path'
import { makeDirectory } from '../base/make-directory.ts'

export interface Account {
  url: string
  token: string
}

export type Environment = Readonly<Record<string, string | undefined>>

/** There is no token to ask with. The message says how to get one. */
export class NotSignedInError extends Error {
  override name = 'NotSignedInError'
}

/** IMPORT_TRACKER_URL, or `--url`, is none. */
export class WrongUrlError extends Error {
  override name = 'WrongUrlError'
}

export const defaultProfile = 'default'

/**
 * A kept token is sent to its own URL alone, so IMPORT_TRACKER_URL without a token finds the one kept for that URL.
 * @param profile undefined: the default one, and after it the embedded service.
 * @throws {NotSignedInError}
 */
export async function findAccount(environment: Environment, profile: string | undefined): Promise<Account> {
  const token = environment.IMPORT_TRACKER_TOKEN ? readToken(environment.IMPORT_TRACKER_TOKEN) : undefined
  const url = environment.IMPORT_TRACKER_URL ? readUrl(environment.IMPORT_TRACKER_URL) : undefined
  if (url !== undefined && token !== undefined) return { url, token }
  const profiles = await readProfiles(configFile(environment))
  const name = profile ?? defaultProfile
  const stored = Object.hasOwn(profiles, name) ? profiles[name] : undefined
  const beside = profile === undefined ? await embeddedAccount(environment) : undefined
  const known = [stored, beside].filter((one) => one !== undefined)
  const found = url === undefined ? known[0] : known.find((one) => isSameService(one.url, url))
  if (found !== undefined) return { url: found.url, token: token ?? found.token }
  if (token !== undefined) throw new NotSignedInError('IMPORT_TRACKER_URL must say which service the token is for.')
  const where = profile === undefined ? '' : ` with the profile ${profile}`
  throw new NotSignedInError(
    `You aren't signed in${where}: run import-tracker login, or set IMPORT_TRACKER_URL and IMPORT_TRACKER_TOKEN.`,
  )
}

/** Keeps the account under the profile's name, readable by its owner alone. Returns the file. */
export async function keepAccount(environment: Environment, profile: string, account: Account): Promise<string> {
  const file = configFile(environment)
  const profiles = Object.fromEntries([...Object.entries(await readProfiles(file)), [profile, account]])
  await makeDirectory(dirname(file), 0o700)
  const unfinished = `${file}.${randomBytes(4).toString('hex')}`
  await writeFile(unfinished, `${JSON.stringify({ profiles }, null, 2)}\n`, { mode: 0o600, flag: 'wx' })
  await chmod(unfinished, 0o600) // whatever the umask
  await rename(unfinished, file)
  return file
}

/** The service that a command means unless told otherwise: one on this machine, with its default port. */
export function localUrl({ PORT, BASE_PATH }: Environment): string {
  return `http://127.0.0.1:${PORT || 3000}${(BASE_PATH ?? '').replace(/\/$/, '')}`
}

/** `localhost`, `[::1]` and `127.0.0.1` name one machine. The command sends a token only to the URL it was kept for. */
function isSameService(one: string, other: string): boolean {
  const named = (url: string) => url.replace(/^(https?:\/\/)(?:localhost|\[::1\])(?=[:/]|$)/, '$1127.0.0.1')
  return named(one) === named(other)
}

/** @throws {WrongUrlError} if it isn't a URL of HTTP. */
export function readUrl(text: string): string {
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || /[?#]/.test(text))
    throw new WrongUrlError('The URL of the service must be an http:// or https:// URL without user and query.')
  return url.href.replace(/\/+$/, '')
}

/** @throws {Error} that doesn't say the token, as the error of `fetch` would. */
export function readToken(text: string): string {
  const token = text.trim()
  if (!isToken(token)) throw new Error('The token must be visible ASCII without spaces.')
  return token
}

function configFile({ XDG_CONFIG_HOME, HOME }: Environment): string {
  const home = XDG_CONFIG_HOME && isAbsolute(XDG_CONFIG_HOME) ? XDG_CONFIG_HOME : join(HOME || homedir(), '.config')
  return join(home, 'import-tracker', 'config.json')
}

async function readProfiles(file: string): Promise<Record<string, Account | undefined>> {
  const text = await readIfThere(file)
  if (text === undefined) return {}
  const profiles = parsed(text)?.profiles
  const isRight = typeof profiles === 'object' && profiles !== null && Object.values(profiles).every(isAccount)
  if (!isRight) throw new Error(`${file} isn't as login writes it: remove it, and sign in again.`)
  return profiles as Record<string, Account>
}

function parsed(text: string): { profiles?: unknown } | null {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function isAccount(value: unknown): value is Account {
  const { url, token } = (value ?? {}) as Partial<Account>
  return typeof url === 'string' && /^https?:$/.test(URL.parse(url)?.protocol ?? '') && isToken(token)
}

/** Whether a header can carry it. */
function isToken(value: unknown): value is string {
  return typeof value === 'string' && /^[!-~]+$/.test(value)
}

/** Returns the embedded service of DATA_DIR if its token may be read. One that runs says there where it listens. */
async function embeddedAccount(environment: Environment): Promise<Account | undefined> {
  const directory = environment.DATA_DIR || '.import-tracker'
  const token = await readIfThere(join(directory, 'admin-token'))
  if (token === undefined) return undefined
  const url = (await readIfThere(join(directory, 'url')))?.trim()
  return { url: url ? readUrl(url) : localUrl(environment), token: readToken(token) }
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes(code)) return undefined
    throw error
  }
}
