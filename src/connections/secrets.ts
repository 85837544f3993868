// Owns storing a connection's credentials: as JSON, encrypted for this connection alone.
import { DecryptionError, type Encryption } from '../base/encryption.ts'

export function sealCredentials(encryption: Encryption, connectionId: string, credentials: unknown): string {
  return encryption.encrypt(JSON.stringify(credentials), `connection:${connectionId}`)
}

/** Returns null if no accepted key decrypts them. */
export function openCredentials(encryption: Encryption, stored: { id: string; credentials: string }): unknown {
  try {
    return JSON.parse(encryption.decrypt(stored.credentials, `connection:${stored.id}`))
  } catch (error) {
    if (error instanceof DecryptionError) return null
    throw error
  }
}
