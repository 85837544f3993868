// Owns making and hashing tokens. They are random enough for a plain SHA-256 (NIST SP 800-63B, look-up secrets).
import { createHash, randomBytes } from 'node:crypto'

/** Returns a new token: `imt_` and 32 random bytes. */
export function newToken(): string {
  return `imt_${randomBytes(32).toString('base64url')}`
}

export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}
