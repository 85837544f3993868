// Owns uploading and deleting documents of providers.
import { and, desc, eq, isNotNull, isNull, sql } from 'drizzle-orm'
import { type Acting, writeAction } from '../actions/write.ts'
import { AppError, invalid, notFound } from '../api/refusal.ts'
import { fieldErrors, invalidFields, issueText } from '../api/validation.ts'
import type { Clock } from '../base/clock.ts'
import { isSame } from '../base/stable-json.ts'
import type { Database, Transaction } from '../db/client.ts'
import { connections, providerDocuments } from '../db/schema/index.ts'
import type { Guard } from '../egress/guard.ts'
import type { ProviderDocument } from '../providers/document/document.ts'
import { runExamples } from '../providers/document/examples.ts'
import { createDocumentProvider, type DocumentProvider } from '../providers/document/provider.ts'
import { documentSchema } from '../providers/document/read-document.ts'
import { isOwnProvider, isProviderName } from '../providers/index.ts'
import { findNewest } from './documents.ts'
import { type ApiProvider, presentUploaded } from './present.ts'

interface Deps extends Acting {
  db: Database
  clock: Clock
  /** The rules for the addresses of providers. */
  guard: Guard
}

/**
 * Stores a document as the next revision of its name. Equal content is no new revision. Connections keep the revision
 * of their own last `PUT`.
 * @throws {AppError} `invalid_request` naming the places; `conflict` if the service itself has a provider of this name.
 */
export async function putProvider(
  { db, clock, guard, by }: Deps,
  name: string,
  given: unknown,
): Promise<{ created: boolean; provider: ApiProvider }> {
  if (isProviderName(name)) throw new AppError('conflict', `${name} is a part of the service, and can’t be replaced.`)
  checkDocument(guard, name, given, clock.now())
  const document = given as Record<string, unknown>
  return db.transaction(async (tx) => {
    await lockName(tx, name)
    const newest = await findNewest(tx, name)
    if (newest && isSame(newest.document, document)) return { created: false, provider: presentUploaded(newest) }
    const row = { name, revision: (await lastRevision(tx, name)) + 1, document, createdAt: clock.now() }
    await tx.insert(providerDocuments).values(row)
    const { revision, createdAt: at } = row
    await writeAction(tx, by, { at, verb: 'provider.put', subject: { id: name, name }, details: { revision } })
    return { created: true, provider: presentUploaded(row) }
  })
}

/**
 * Reads a document, and runs its examples. `at` is where it stands in the request.
 * @throws {AppError} invalid_request
 */
export function checkDocument(
  guard: Guard,
  name: string,
  given: unknown,
  now: Date,
  at = '',
): { document: ProviderDocument; provider: DocumentProvider } {
  const fieldOf = (field: string) => (at === '' ? field : `${at}.${field}`)
  const { data: document, error } = documentSchema.safeParse(given, { error: issueText })
  if (error)
    throw invalidFields(fieldErrors(error, at).map(({ field, message }) => ({ field: field || 'document', message })))
  if (document.name !== name) throw invalid(fieldOf('name'), `must be ${name}, as in the path`)
  const refusal = document.baseUrl === null ? null : guard.checkUrl(document.baseUrl)
  if (refusal !== null) throw invalid(fieldOf('baseUrl'), refusal)
  const provider = createDocumentProvider(document)
  const failed = runExamples(document, provider, now)
  if (failed.length > 0)
    throw invalidFields(failed.map(({ path, message }) => ({ field: fieldOf(path.join('.')), message })))
  return { document, provider }
}

/**
 * Deletes a document. The name is free again, or is that of the document that comes with the service.
 * @throws {AppError} `not_found`; `conflict` while a connection is pinned to it, or if it comes with the service.
 */
export async function deleteProvider({ db, clock, by }: Omit<Deps, 'guard'>, name: string): Promise<void> {
  await db.transaction(async (tx) => {
    await lockName(tx, name)
    // Connections that are put now wait for this lock, or hold it.
    const newest = await findNewest(tx, name, { lock: 'update' })
    if (!newest && isOwnProvider(name))
      throw new AppError('conflict', `${name} comes with the service, and can’t be deleted.`)
    if (!newest) throw notFound('provider')
    const { provider, providerRevision, deletedAt } = connections
    const [user] = await tx
      .select({ name: connections.name })
      .from(connections)
      .where(and(eq(provider, name), isNotNull(providerRevision), isNull(deletedAt)))
      .limit(1)
    if (user) throw new AppError('conflict', `The connection ${user.name} uses ${name}; delete it first.`)
    await tx
      .update(providerDocuments)
      .set({ deletedAt: clock.now() })
      .where(and(eq(providerDocuments.name, name), isNull(providerDocuments.deletedAt)))
    await writeAction(tx, by, { at: clock.now(), verb: 'provider.delete', subject: { id: name, name } })
  })
}

/** Two uploads of one name at once get two revisions, and a deletion deletes all that were before it. */
async function lockName(tx: Transaction, name: string): Promise<void> {
  await tx.execute(sql`/* provider.lock */ SELECT pg_advisory_xact_lock(hashtextextended(${`provider:${name}`}, 0))`)
}

/** Counts deleted ones, too: a revision never comes to mean another document. */
async function lastRevision(tx: Transaction, name: string): Promise<number> {
  const [last] = await tx
    .select({ revision: providerDocuments.revision })
    .from(providerDocuments)
    .where(eq(providerDocuments.name, name))
    .orderBy(desc(providerDocuments.revision))
    .limit(1)
  return last?.revision ?? 0
}
