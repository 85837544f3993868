// Owns reading providers: those that come with this version, and uploaded documents by name and revision. A revision
// never changes, so it is prepared once in each process, when a connection that is pinned to it is first read.
import { and, desc, eq, isNull, sql } from 'drizzle-orm'
import { invalidFields } from '../api/validation.ts'
import type { Log } from '../base/log.ts'
import type { Database, Transaction } from '../db/client.ts'
import { providerDocuments } from '../db/schema/index.ts'
import { unnest } from '../db/unnest.ts'
import type { Provider } from '../providers/contract.ts'
import { createDocumentProvider, type DocumentProvider } from '../providers/document/provider.ts'
import { documentSchema } from '../providers/document/read-document.ts'
import { findProvider, isOwnProvider, ownProviders } from '../providers/index.ts'

/** The provider that a connection is pinned to. */
export interface ProviderPin {
  provider: string
  /** Null: it comes with the service. */
  providerRevision: number | null
}

export interface Catalog {
  /** Returns the providers of these connections. One that this process can't read is absent. */
  read(db: Database | Transaction, pins: readonly ProviderPin[]): Promise<(pin: ProviderPin) => Provider | undefined>
}

/** How many revisions a process keeps prepared. */
const maxPrepared = 2_000

export function createCatalog({ log }: { log: Log }): Catalog {
  const prepared = new Map<string, Provider | null>()

  return {
    async read(db, pins) {
      const unknown = pins.filter((pin) => pin.providerRevision !== null && !prepared.has(keyOf(pin)))
      if (unknown.length > 0) await prepare(db, unknown)
      return (pin) => (pin.providerRevision === null ? ownProvider(pin) : (prepared.get(keyOf(pin)) ?? undefined))
    },
  }

  async function prepare(db: Database | Transaction, pins: readonly ProviderPin[]): Promise<void> {
    if (prepared.size >= maxPrepared) prepared.clear()
    for (const row of await readRevisions(db, pins)) {
      const { data, error } = documentSchema.safeParse(row.document)
      const pin = { provider: row.name, providerRevision: row.revision }
      prepared.set(keyOf(pin), data ? (createDocumentProvider(data) as Provider) : null)
      // A newer version may have stored what this one doesn't know.
      if (error)
        log.error({ provider: row.name, revision: row.revision }, 'this version can’t read a provider’s document')
    }
  }
}

function keyOf({ provider, providerRevision }: ProviderPin): string {
  return `${provider}@${providerRevision}`
}

function ownProvider({ provider }: ProviderPin): Provider | undefined {
  return isOwnProvider(provider) ? findProvider(provider) : undefined
}

type DocumentRow = typeof providerDocuments.$inferSelect

async function readRevisions(db: Database | Transaction, pins: readonly ProviderPin[]): Promise<DocumentRow[]> {
  const wanted = unnest('wanted', pins, { provider: 'text', providerRevision: 'int' })
  return db
    .select()
    .from(providerDocuments)
    .where(
      sql`(${providerDocuments.name}, ${providerDocuments.revision}) IN (SELECT provider, provider_revision FROM ${wanted})`,
    )
}

/** Returns the newest revision of an uploaded document. Returns undefined if there is none. */
export async function findNewest(
  db: Database | Transaction,
  name: string,
  { lock }: { lock?: 'share' | 'update' } = {},
): Promise<DocumentRow | undefined> {
  const query = db
    .select()
    .from(providerDocuments)
    .where(and(eq(providerDocuments.name, name), isNull(providerDocuments.deletedAt)))
    .orderBy(desc(providerDocuments.revision))
    .limit(1)
  const [row] = await (lock ? query.for(lock) : query)
  return row
}

/** Returns the newest revision of each uploaded document, in the order of their names. */
export async function listNewest(db: Database): Promise<DocumentRow[]> {
  const { name, revision, deletedAt } = providerDocuments
  return db.selectDistinctOn([name]).from(providerDocuments).where(isNull(deletedAt)).orderBy(name, desc(revision))
}

/** The provider that a connection gets which is put now. */
export interface CurrentProvider {
  provider: Provider
  /** Null: it comes with the service. */
  revision: number | null
}

/** Returns undefined if no provider has the name. Locks an uploaded one against its deletion until the transaction ends. */
export async function findCurrent(tx: Database | Transaction, name: string): Promise<CurrentProvider | undefined> {
  const row = await findNewest(tx, name, { lock: 'share' })
  if (row) return { provider: readStored(row) as Provider, revision: row.revision }
  return isOwnProvider(name) ? { provider: findProvider(name), revision: null } : undefined
}

/** Returns the provider that a connection is pinned to. Locks nothing: its revision stays. */
export async function findPinned(tx: Database | Transaction, pin: ProviderPin): Promise<CurrentProvider | undefined> {
  const { provider: name, providerRevision: revision } = pin
  if (revision === null) return isOwnProvider(name) ? { provider: findProvider(name), revision } : undefined
  const [row] = await readRevisions(tx, [pin])
  return row && { provider: readStored(row) as Provider, revision }
}

function readStored({ document }: DocumentRow): DocumentProvider {
  return createDocumentProvider(documentSchema.parse(document))
}

/** @throws {AppError} `invalid_request` naming the fields of the names that are no provider's. */
export async function requireProviders(
  db: Database | Transaction,
  names: readonly string[],
  fieldOf: (index: number) => string,
): Promise<void> {
  const unknown = await unknownProviders(db, names)
  if (unknown.size === 0) return
  const message = `must be one of ${(await knownProviders(db)).join(', ')}`
  const errors = names.flatMap((name, index) => (unknown.has(name) ? [{ field: fieldOf(index), message }] : []))
  throw invalidFields(errors)
}

/** The same for one name. Absent: there is nothing to look up. */
export async function requireProvider(
  db: Database | Transaction,
  name: string | undefined,
  field: string,
): Promise<void> {
  if (name !== undefined) await requireProviders(db, [name], () => field)
}

async function knownProviders(db: Database | Transaction): Promise<string[]> {
  const { name, deletedAt } = providerDocuments
  const uploaded = await db.selectDistinct({ name }).from(providerDocuments).where(isNull(deletedAt))
  return [...new Set([...ownProviders, ...uploaded].map((provider) => provider.name))].sort()
}

/** Returns which of the names are no provider's. */
async function unknownProviders(db: Database | Transaction, names: readonly string[]): Promise<Set<string>> {
  const foreign = names.filter((name) => !isOwnProvider(name))
  if (foreign.length === 0) return new Set()
  const known = await db
    .selectDistinct({ name: providerDocuments.name })
    .from(providerDocuments)
    .where(
      sql`${providerDocuments.name} = ANY(${sql.param(foreign)}::text[]) AND ${providerDocuments.deletedAt} IS NULL`,
    )
  const uploaded = new Set(known.map(({ name }) => name))
  return new Set(foreign.filter((name) => !uploaded.has(name)))
}
