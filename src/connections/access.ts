// Owns what a worker needs to call a connection's provider. Credentials are decrypted once for each change, not for
// each poll.
import { inArray } from 'drizzle-orm'
import { type Clock, systemClock } from '../base/clock.ts'
import type { Encryption } from '../base/encryption.ts'
import type { Log } from '../base/log.ts'
import { isMetered } from '../budget/budget.ts'
import { createCatalog } from '../catalog/documents.ts'
import type { Database, Transaction } from '../db/client.ts'
import { connections } from '../db/schema/index.ts'
import type { DefaultLimits } from '../model/limits.ts'
import { effectiveLimits } from '../model/limits.ts'
import { volatileFieldsOf } from '../model/volatile-fields.ts'
import type { TokenKeeper } from '../providers/ask.ts'
import type { Provider } from '../providers/contract.ts'
import type { ConnectionRow } from './present.ts'
import { countRequest } from './reserve.ts'
import { openCredentials } from './secrets.ts'
import { createTokenKeepers } from './tokens.ts'

/** A connection as workers use it. Its credentials never go into a log line or a queue payload. */
export interface ConnectionAccess {
  id: string
  name: string
  provider: Provider
  /** The connection's own base URL, or the provider's default. */
  baseUrl: string
  /** Null: no key decrypts them. */
  credentials: unknown
  settings: unknown
  /** Absent: the provider has no tokens that expire. */
  tokens?: TokenKeeper
  limits: DefaultLimits
  /** JSON Pointers of fields whose changes in a body don't count. */
  volatileFields: readonly string[]
  /** Keys of the metadata that tell kinds of imports apart. */
  baselineBy: readonly string[]
  pausedAt: Date | null
  nextProbeAt: Date | null
  blockedUntil: Date | null
  /** Since when the provider refuses calls. Null: it answered the last one, or refused none. */
  refusedSince: Date | null
  /** Counts a request of a connection without limits. Those of others are counted before they begin. */
  onRequest?: () => void
  /** Counts a request for a token of a connection with limits. */
  onUnforeseen?: () => Promise<void>
  /** When a caller last put the connection. Refusals of older credentials say nothing about newer ones. */
  updatedAt: Date
}

export interface ConnectionAccesses {
  /** Reads these connections by one query. Deleted connections are absent. */
  load(connectionIds: readonly string[]): Promise<Map<string, ConnectionAccess>>
  /** Returns the accesses of connections that the caller has read. */
  open(db: Database | Transaction, rows: readonly ConnectionRow[]): Promise<Map<string, ConnectionAccess>>
}

const maxCached = 10_000

export function createConnectionAccesses({
  db,
  encryption,
  log,
  count,
  clock = systemClock,
}: {
  db: Database
  encryption: Encryption
  log: Log
  /** Called with each request over a connection without limits. */
  count?: (connectionId: string) => void
  clock?: Clock
}): ConnectionAccesses {
  const catalog = createCatalog({ log })
  const keepTokens = createTokenKeepers({ db, encryption })
  /** Decrypted credentials by connection, with the ciphertext that they came from. */
  const opened = new Map<string, { sealed: string; credentials: unknown }>()

  function credentialsOf(row: ConnectionRow): unknown {
    const known = opened.get(row.id)
    if (known?.sealed === row.credentials) return known.credentials
    const credentials = openCredentials(encryption, row)
    if (opened.size >= maxCached) opened.clear()
    if (credentials !== null) opened.set(row.id, { sealed: row.credentials, credentials })
    else log.error({ connection: row.name }, 'no key in ENCRYPTION_KEYS opens the credentials of a connection')
    return credentials
  }

  async function open(
    from: Database | Transaction,
    rows: readonly ConnectionRow[],
  ): Promise<Map<string, ConnectionAccess>> {
    const there = rows.filter(({ deletedAt }) => deletedAt === null)
    const providerOf = await catalog.read(from, there)
    return new Map(
      there.flatMap((row) => {
        const provider = providerOf(row)
        if (!provider) return []
        const opened = accessOf(row, provider, credentialsOf(row))
        const onUnforeseen = () => countRequest(db, opened, clock.now())
        const owner = { ...opened, providerRevision: row.providerRevision }
        const access = provider.tokenRequest ? { ...opened, tokens: keepTokens(owner), onUnforeseen } : opened
        const isCounted = count !== undefined && !isMetered(access.limits)
        return [[row.id, isCounted ? { ...access, onRequest: () => count(row.id) } : access] as const]
      }),
    )
  }

  return {
    open,
    async load(connectionIds) {
      const ids = [...new Set(connectionIds)]
      return open(db, await db.select().from(connections).where(inArray(connections.id, ids)))
    },
  }
}

function accessOf(row: ConnectionRow, provider: Provider, credentials: unknown): ConnectionAccess {
  const baseUrl = row.baseUrl ?? provider.defaultBaseUrl
  if (baseUrl === null) throw new Error(`The connection ${row.name} has no base URL.`)
  const { id, name, settings, baselineBy, pausedAt, nextProbeAt, blockedUntil, refusedSince, updatedAt } = row
  const limits = effectiveLimits(provider, row.limits)
  const volatileFields = volatileFieldsOf(provider, row.volatileFields)
  const waits = { pausedAt, nextProbeAt, blockedUntil, refusedSince }
  return { id, name, provider, baseUrl, credentials, settings, limits, volatileFields, baselineBy, ...waits, updatedAt }
}
