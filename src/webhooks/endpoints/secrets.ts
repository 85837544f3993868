// Owns how an endpoint's secrets are kept: encrypted for this endpoint alone.

import type { Encryption } from '../../base/encryption.ts'
import type { PreviousSecret } from '../../db/schema/index.ts'

export function sealSecret(encryption: Encryption, endpointId: string, secret: string): string {
  return encryption.encrypt(secret, `endpoint:${endpointId}`)
}

/** @throws {DecryptionError} when no accepted key opens it any more. */
export function openSecret(encryption: Encryption, endpointId: string, sealed: string): string {
  return encryption.decrypt(sealed, `endpoint:${endpointId}`)
}

export interface StoredSecrets {
  id: string
  secret: string
  previousSecrets: PreviousSecret[]
}

/** The secrets that sign at this moment, the current one first. @throws {DecryptionError} */
export function signingSecrets(encryption: Encryption, endpoint: StoredSecrets, now: Date): string[] {
  const previous = unexpired(endpoint.previousSecrets, now)
  return [endpoint.secret, ...previous.map(({ secret }) => secret)].map((sealed) =>
    openSecret(encryption, endpoint.id, sealed),
  )
}

export function unexpired(secrets: readonly PreviousSecret[], now: Date): PreviousSecret[] {
  return secrets.filter(({ expiresAt }) => new Date(expiresAt) > now)
}
