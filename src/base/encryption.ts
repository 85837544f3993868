// Owns encryption at rest: AES-256-GCM (NIST SP 800-38D). Each value carries its key's id, so several keys can be
// accepted while the first one encrypts. Callers decide which data to encrypt.
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'

export interface Encryption {
  /** Encrypts text for `context` (such as `connection:<id>`). Decrypting needs the same context. */
  encrypt(text: string, context: string): string
  /** @throws {DecryptionError} if no accepted key made the value, or if the value was changed. */
  decrypt(value: string, context: string): string
  /** Returns true if an accepted key made the value. */
  knows(value: string): boolean
  /** Returns true if another key than the current one made the value. */
  isStale(value: string): boolean
}

export class DecryptionError extends Error {
  override name = 'DecryptionError'
}

const ivBytes = 12
const tagBytes = 16

/** @param keys 32 bytes each; the first one encrypts, all of them decrypt. */
export function createEncryption(keys: readonly Buffer[]): Encryption {
  const byId = new Map(keys.map((key) => [keyId(key), key]))
  const first = keys[0]
  if (!first) throw new DecryptionError('At least one encryption key is needed.')
  const currentId = keyId(first)

  return {
    encrypt(text, context) {
      const iv = randomBytes(ivBytes)
      const cipher = createCipheriv('aes-256-gcm', first, iv).setAAD(Buffer.from(context))
      const sealed = Buffer.concat([iv, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
      return `${currentId}.${sealed.toString('base64url')}`
    },
    decrypt(value, context) {
      const [id = '', encoded = ''] = value.split('.')
      const key = byId.get(id)
      if (!key) throw new DecryptionError(`No key in ENCRYPTION_KEYS has the id ${id}.`)
      const sealed = Buffer.from(encoded, 'base64url')
      try {
        const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, ivBytes), { authTagLength: tagBytes })
        decipher.setAAD(Buffer.from(context)).setAuthTag(sealed.subarray(-tagBytes))
        return Buffer.concat([decipher.update(sealed.subarray(ivBytes, -tagBytes)), decipher.final()]).toString('utf8')
      } catch {
        throw new DecryptionError('A stored secret does not match its key or its place.')
      }
    },
    knows: (value) => byId.has(value.split('.')[0] ?? ''),
    isStale: (value) => !value.startsWith(`${currentId}.`),
  }
}

function keyId(key: Buffer): string {
  return createHash('sha256').update(key).digest('hex').slice(0, 8)
}
