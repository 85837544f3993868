// Owns where outgoing requests may go, against server-side request forgery through webhook or provider URLs. Pure:
// resolve.ts and connector.ts ask it at connect time, the API when it receives a URL.
import { type Address, isPublic, isWithin, parseAddress, parseRange, translatedIpv4 } from './ranges.ts'

export interface Guard {
  /**
   * Returns null if the URL may be stored; otherwise what it must be, for people (`must use https`). Doesn't resolve
   * the name.
   */
  checkUrl(url: string): string | null
  /** Returns true if a connection to this IP address may be made. Text that isn't an address isn't allowed. */
  isAllowed(address: string): boolean
}

const maxUrlLength = 2048
const localNames = /(^|\.)(localhost|local|internal)$/

/**
 * @param allowedCidrs private ranges that the operator opens. With any, http:// and local names are allowed too,
 * because their addresses are checked at connect time.
 */
export function createGuard({ allowedCidrs }: { allowedCidrs: readonly string[] }): Guard {
  const allowed = allowedCidrs.map(parseRange)
  const isOpen = allowed.length > 0

  return {
    isAllowed(text) {
      const address = parseAddress(text)
      return address !== null && (isPublic(address) || isOpened(address))
    },

    checkUrl(text) {
      if (text.length > maxUrlLength) return `must have at most ${maxUrlLength} characters`
      const url = URL.parse(text)
      if (url === null || hasUnsafeCharacter(text)) return 'must be an absolute URL'
      if (url.protocol !== 'https:' && !(isOpen && url.protocol === 'http:'))
        return isOpen ? 'must use https or http' : 'must use https'
      if (hasUserinfo(text)) return 'must not contain a user name or password'
      if (text.includes('#')) return 'must not contain a fragment'

      const name = hostOf(url)
      const address = parseAddress(name)
      if (address !== null)
        return isOpened(address) ? null : 'must name a host, not an IP address that is not opened for it'
      if (!isOpen && (!name.includes('.') || localNames.test(name))) return 'must name a public host'
      return null
    },
  }

  /** An address is opened by its own range, or by the range of the IPv4 address that NAT64 would translate it to. */
  function isOpened(address: Address): boolean {
    const inner = translatedIpv4(address)
    return isWithin(address, allowed) || (inner !== null && isWithin(inner, allowed))
  }
}

/** Returns a URL's host without brackets and without the root's dot, as names and addresses are compared. */
export function hostOf(url: { hostname: string }): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '')
}

/**
 * Finds characters that WHATWG's parser strips or rewrites. They would let people and programs read different hosts.
 */
function hasUnsafeCharacter(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  return /[\s\\\u0000-\u001f\u007f]/.test(text) || !/^[a-z]+:\/\/[^/]/i.test(text)
}

function hasUserinfo(text: string): boolean {
  return /^[a-z]+:\/\/[^/?#]*@/i.test(text)
}
