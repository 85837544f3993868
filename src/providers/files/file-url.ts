// Owns which URL of a file may be asked. Its address is checked as the connection to it is made.
import { ProviderError } from '../error.ts'

/** Signed URLs are long. */
const maxUrlLength = 8_192

/**
 * Returns the URL, if it leads to the base URL's own origin or to one of the hosts, and isn't less secure than the base
 * URL. A host may name a port.
 * @throws {ProviderError} `blocked_address`
 */
export function fileUrl(text: string, hosts: readonly string[], baseUrl: string): URL {
  const base = new URL(baseUrl)
  const url = text.length > maxUrlLength ? null : URL.parse(text, base.href)
  if (url === null) throw refused('isn’t one')
  if (url.username || url.password) throw refused('has a user name or password')
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && base.protocol === 'http:'))
    throw refused('doesn’t begin with https')
  if (url.origin !== base.origin && !hosts.some((host) => isOfHost(url, host)))
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

/** A host without a port has that of https. Where the base URL has no https itself, it is a test, and any port will do. */
function isOfHost({ hostname, port, protocol }: URL, host: string): boolean {
  const [, name = '', wantedPort] = /^(.*?)(?::(\d+))?$/.exec(host.toLowerCase()) ?? []
  const isPort =
    wantedPort === undefined ? port === '' || protocol === 'http:' : Number(wantedPort) === portOf(port, protocol)
  if (!isPort) return false
  // `*.example.com` and `.example.com` are all hosts below.
  const end = /^\*?(\..+)$/.exec(name)?.[1]
  return end === undefined ? hostname === name : hostname.endsWith(end) && hostname.length > end.length
}

function portOf(port: string, protocol: string): number {
  return port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port)
}
