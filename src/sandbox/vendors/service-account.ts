// Owns the key of the sandbox's service account. It is another one in each process: a key in the source would be taken
// for a secret that leaked.
import { generateKeyPairSync, type KeyObject } from 'node:crypto'

let made: { privateKey: string; publicKey: KeyObject } | null = null

/** Makes it when it is first asked for, because that takes a while. */
export function sandboxKey(): { privateKey: string; publicKey: KeyObject } {
  if (made === null) {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 })
    made = { privateKey: String(privateKey.export({ type: 'pkcs8', format: 'pem' })), publicKey }
  }
  return made
}
