// Owns which URL of a file may be asked. Its address is checked as the connection to it is made.
import { ProviderError } from '../error.ts'

/** Signed URLs are long. */
const maxUrlLength = 8_192

/**
 * Returns the URL, if it leads to the base URL's own origin or to one of the hosts, and isn't less secure than the base
 * URL.
 * @throws {ProviderError} `blocked_address`
 */
export function fileUrl(text: string, hosts: readonly string[], baseUrl: string): URL {
  const base = new URL(baseUrl)
  const url = text.length > maxUrlLength ? null : URL.parse(text, base.href)
  if (url === null) throw refused('isn’t one')
  if (url.username || url.password) throw refused('has a user name or password')
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && base.protocol === 'http:'))
    throw refused('doesn’t begin with https')
  if (url.origin !== base.origin && !hosts.some((host) => isOfHost(url.hostname, host)))
    throw refused(`leads to ${url.host}, which the provider’s document doesn’t allow`)
  return url
}

/** Returns true if the URL leads to another server than the provider's. */
export function isElsewhere(text: string | null, baseUrl: string): boolean {
  return text !== null && URL.parse(text, baseUrl)?.origin !== new URL(baseUrl).origin
}

function refused(why: string): ProviderError {
  return new ProviderError('blocked_address', `The file’s URL ${why}, so it wasn’t asked.`)
}

function isOfHost(name: string, host: string): boolean {
  const wanted = host.toLowerCase()
  return wanted.startsWith('*.') ? name.endsWith(wanted.slice(1)) && name.length > wanted.length - 1 : name === wanted
}
