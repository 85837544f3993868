// Owns the codes for why a request got no answer: a closed list, the same in the API, in SQL and in the log. It doesn't
// depend on the words of the system, undici or OpenSSL.

/** Each code with its meaning, for the API's document. */
export const errorCodes = {
  blocked_address: 'the name has an address that requests may not go to',
  name_not_found: 'the name has no address',
  dns_timeout: 'the name did not resolve in time',
  dns_failed: 'the name servers failed',
  connection_refused: 'nobody listens at the port',
  host_unreachable: 'there is no way to the host',
  connect_timeout: 'no connection in time, TLS included',
  connection_failed: 'the connection failed otherwise',
  certificate_expired: 'the certificate is not valid at this time',
  certificate_wrong_host: 'the certificate is for another host',
  certificate_untrusted: 'nobody known vouches for the certificate',
  tls_failed: 'the TLS handshake failed otherwise',
  connection_reset: 'the connection ended before the answer did',
  answer_timeout: 'no answer in time',
  headers_too_large: 'more than 64 KiB of headers',
  malformed_http: 'what came is not HTTP, or not in its strict form',
  undecipherable_secret: 'no key in ENCRYPTION_KEYS opens the endpoint’s secrets, so nothing was sent',
} as const

export type ErrorCode = keyof typeof errorCodes

const codeOfSystem: Readonly<Record<string, ErrorCode>> = {
  ENOTFOUND: 'name_not_found',
  ENODATA: 'name_not_found',
  ETIMEOUT: 'dns_timeout', // of DNS alone, unlike ETIMEDOUT
  ECONNREFUSED: 'connection_refused',
  EHOSTUNREACH: 'host_unreachable',
  ENETUNREACH: 'host_unreachable',
  ENETDOWN: 'host_unreachable',
  EHOSTDOWN: 'host_unreachable',
  ETIMEDOUT: 'connect_timeout',
  UND_ERR_CONNECT_TIMEOUT: 'connect_timeout',
  ECONNRESET: 'connection_reset',
  EPIPE: 'connection_reset',
  CERT_HAS_EXPIRED: 'certificate_expired',
  CERT_NOT_YET_VALID: 'certificate_expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'certificate_wrong_host',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'certificate_untrusted',
  SELF_SIGNED_CERT_IN_CHAIN: 'certificate_untrusted',
  UNABLE_TO_GET_ISSUER_CERT: 'certificate_untrusted',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'certificate_untrusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'certificate_untrusted',
  CERT_CHAIN_TOO_LONG: 'certificate_untrusted',
  CERT_REVOKED: 'certificate_untrusted',
  CERT_REJECTED: 'certificate_untrusted',
  CERT_UNTRUSTED: 'certificate_untrusted',
  CERT_SIGNATURE_FAILURE: 'certificate_untrusted',
  INVALID_CA: 'certificate_untrusted',
  INVALID_PURPOSE: 'certificate_untrusted',
}

/** Translates a code of the system, undici or OpenSSL. Returns null if we have no word of our own for it. */
export function errorCodeOfSystem(code: string): ErrorCode | null {
  return Object.hasOwn(codeOfSystem, code) ? (codeOfSystem[code] ?? null) : null
}
