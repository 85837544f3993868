// Owns reading the private key that assertions are signed with.
import { createPrivateKey, type KeyObject } from 'node:crypto'

/** Reads an RSA key as PEM. Returns null if it is none that RS256 can sign with. */
export function readPrivateKey(pem: string): KeyObject | null {
  try {
    const key = createPrivateKey(pem)
    return key.asymmetricKeyType === 'rsa' && (key.asymmetricKeyDetails?.modulusLength ?? 0) >= 2_048 ? key : null
  } catch {
    return null
  }
}
