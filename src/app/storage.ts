// Owns opening a process's storage: the database of DATABASE_URL, or the embedded one with the keys and the token that
// it makes. Only an embedded schema is migrated at the start.

import type { Log } from '../base/log.ts'
import { type Config, ConfigError } from '../config/config.ts'
import { checkDatabase, type OpenDatabase, openDatabase } from '../db/client.ts'
import { warnOfFewConnections } from '../db/connections-left.ts'
import { requireGrants } from '../db/grants.ts'
import { migrate, readSchemaState } from '../db/migrate.ts'
import { patienceMs } from '../db/silence.ts'
import { startEmbeddedPostgres } from '../embedded/postgres.ts'
import { type KeptToken, readAdminToken, readEncryptionKeys } from '../embedded/secrets.ts'
import { isQueueMigrated, migrateQueue, queueSchema } from '../queue/migrate.ts'
import { maxQueueConnections } from '../queue/queues.ts'

export interface Storage {
  databaseUrl: string
  database: OpenDatabase
  /** The same database for long statements, such as those on months of history. Its connections come and go. */
  patient: OpenDatabase
  encryptionKeys: readonly Buffer[]
  /** Null: none was given, and tokens are in the database alone. */
  adminToken: string | null
  /** The file of the token that the embedded mode made. Null: a token was given. */
  keptToken: KeptToken | null
  /** Resolves when an embedded database is gone for good. For a given one it never resolves. */
  lost: Promise<Error>
  close(): Promise<void>
}

/** How many connections the statements of the workers and the API share. The queue has a pool of its own. */
const maxConnections = 20
const maxPatientConnections = 4

interface StorageDeps {
  log: Log
  /** Called when an idle connection breaks. The pool replaces it. */
  onError(error: Error): void
}

/**
 * @throws {ConfigError} if the database isn't available or its schema is behind, {EmbeddedError} if the embedded
 * database can't run.
 */
export async function openStorage(config: Config, deps: StorageDeps): Promise<Storage> {
  return config.databaseUrl === null ? openEmbedded(config, deps) : openGiven(config, config.databaseUrl, deps)
}

async function openEmbedded(config: Config, { log, onError }: StorageDeps): Promise<Storage> {
  const { dataDir, adminToken, encryptionKeys } = config
  const keys = encryptionKeys ?? (await readEncryptionKeys(dataDir))
  const keptToken = adminToken === null ? await readAdminToken(dataDir) : null
  const secrets = { encryptionKeys: keys, adminToken: adminToken ?? keptToken?.token ?? null, keptToken }
  const embedded = await startEmbeddedPostgres({ directory: dataDir, log })
  const opened = openPools(embedded.url, onError)
  const close = async () => {
    await opened.close()
    await embedded.stop()
  }
  try {
    await migrate(opened.patient)
    await migrateQueue(opened.patient.pool)
  } catch (error) {
    await close()
    throw error
  }
  return { ...secrets, databaseUrl: embedded.url, ...opened, lost: embedded.lost, close }
}

async function openGiven(config: Config, databaseUrl: string, deps: StorageDeps): Promise<Storage> {
  const { adminToken, encryptionKeys } = config
  if (encryptionKeys === null)
    throw new ConfigError('ENCRYPTION_KEYS must be set where DATABASE_URL is: base64 of 32 bytes, comma-separated.')
  const opened = openPools(databaseUrl, deps.onError)
  const { database } = opened
  try {
    await checkDatabase(database)
    await requireGrants(database.db, config.redisUrl === null ? queueSchema : null)
    const ofQueue = config.redisUrl === null ? maxQueueConnections(config.roles.has('worker')) : 0
    await warnOfFewConnections({ ...deps, db: database.db }, maxConnections + maxPatientConnections + ofQueue)
    await requireSchema(database, config.redisUrl === null, deps.log)
  } catch (error) {
    await opened.close()
    throw error
  }
  return { databaseUrl, ...opened, encryptionKeys, adminToken, keptToken: null, lost: new Promise(() => {}) }
}

function openPools(url: string, onError: (error: Error) => void): Pick<Storage, 'database' | 'patient' | 'close'> {
  const database = openDatabase(url, { maxConnections, onError })
  const patient = openDatabase(url, { maxConnections: maxPatientConnections, onError, silentForMs: patienceMs })
  return { database, patient, close: async () => void (await Promise.all([database.close(), patient.close()])) }
}

/** A schema that is ahead only causes a warning: while versions are replaced one by one, old ones keep running. */
async function requireSchema(database: OpenDatabase, withQueue: boolean, log: Log): Promise<void> {
  const state = await readSchemaState(database)
  if (state === 'behind' || (withQueue && !(await isQueueMigrated(database.pool))))
    throw new ConfigError('The database schema is behind this version: run `npm run migrate` first.')
  if (state === 'forbidden')
    throw new ConfigError(
      'DATABASE_URL leads to a schema that is ahead, and that this version must not use: start the newer version.',
    )
  if (state === 'ahead')
    log.warn('the database schema is ahead of this version: a newer one has migrated it, and this one runs on')
}
