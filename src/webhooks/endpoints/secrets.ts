// Owns storing an endpoint's secrets: encrypted for this endpoint alone.

import type { Encryption } from '../../base/encryption.ts'
import type { PreviousSecret } from '../../db/schema/index.ts'

export function sealSecret(encryption: Encryption, endpointId: string, secret: string): string {
  return encryption.encrypt(secret, `endpoint:${endpointId}`)
}

/** @throws {DecryptionError} if no accepted key decrypts it. */
export function openSecret(encryption: Encryption, endpointId: string, sealed: string): string {
  return encryption.decrypt(sealed, `endpoint:${endpointId}`)
}

export interface StoredSecrets {
  id: string
  secret: string
  previousSecrets: PreviousSecret[]
}

/** Returns the secrets that sign at this moment, the current one first. @throws {DecryptionError} */
export function signingSecrets(encryption: Encryption, endpoint: StoredSecrets, now: Date): string[] {
  const previous = unexpired(endpoint.previousSecrets, now)
  return [endpoint.secret, ...previous.map(({ secret }) => secret)].map((sealed) =>
    openSecret(encryption, endpoint.id, sealed),
  )
}

export function unexpired(secrets: readonly PreviousSecret[], now: Date): PreviousSecret[] {
  return secrets.filter(({ expiresAt }) => new Date(expiresAt) > now)
}
