// Owns what every world of the tests stands on: a database of its own, a clock, and the key of what is stored encrypted.

import type { Actor } from '../../../src/actions/write.ts'
import type { Clock } from '../../../src/base/clock.ts'
import { createEncryption, type Encryption } from '../../../src/base/encryption.ts'
import type { Database } from '../../../src/db/client.ts'
import type { TestDatabase } from '../database.ts'

export interface Ground<Time extends Clock = Clock> {
  database: TestDatabase
  db: Database
  clock: Time
  encryption: Encryption
  /** Who does what is done. */
  by: Actor
}

export const somebody: Actor = { tokenId: null, name: 'somebody', scope: 'admin' }

export const adminToken = 'test-admin-token-0123456789'
export const testEncryptionKey = Buffer.alloc(32, 7)
export const testEncryption = createEncryption([testEncryptionKey])

let number = 0

/** A name that no other test of the file uses. */
export function unique(prefix: string): string {
  number += 1
  return `${prefix}-${number}`
}
