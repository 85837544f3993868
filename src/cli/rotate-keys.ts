// Owns the command `rotate-keys`: its keys, and its report.

import { type Rotation, rotateKeys } from '../app/rotate-keys.ts'
import { createEncryption } from '../base/encryption.ts'
import { type Config, ConfigError } from '../config/config.ts'
import { readEncryptionKeys } from '../embedded/secrets.ts'
import { withDatabase } from './database.ts'

/** Prints counts. The process ends with 1 if a secret couldn't be read. */
export async function rotateKeysCommand(config: Config): Promise<void> {
  const keys = config.encryptionKeys ?? (config.databaseUrl === null ? await readEncryptionKeys(config.dataDir) : [])
  if (keys.length < 2) throw new ConfigError('ENCRYPTION_KEYS must hold the new key, then the old ones.')
  const encryption = createEncryption(keys)
  const rotations = await withDatabase(config, ({ db }) => rotateKeys({ db, encryption }))
  tell('connections', rotations.connections)
  tell('webhook endpoints', rotations.webhookEndpoints)
}

function tell(what: string, { rotated, unreadable }: Rotation): void {
  console.log(`${rotated} ${what} re-encrypted`)
  if (unreadable.length === 0) return
  console.error(`No key in ENCRYPTION_KEYS can read the secrets of ${what} ${unreadable.join(', ')}.`)
  process.exitCode = 1
}
