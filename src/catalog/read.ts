// Owns reading providers as the API shows them: all that there are, by name.
import { type Page, type PageQuery, pageOf, readCursor, textKey } from '../api/paging.ts'
import { notFound } from '../api/refusal.ts'
import type { Database } from '../db/client.ts'
import { ownProviders, shipped } from '../providers/index.ts'
import { findNewest, listNewest } from './documents.ts'
import { type ApiProvider, type ApiProviderSummary, presentOwn, presentUploaded, summaryOf } from './present.ts'

/** Prefers an uploaded document to the one of the same name that comes with the service. @throws {AppError} not_found */
export async function getProvider({ db }: { db: Database }, name: string): Promise<ApiProvider> {
  const uploaded = await findNewest(db, name)
  if (uploaded) return presentUploaded(uploaded)
  const own = ownProviders.find((provider) => provider.name === name)
  if (!own) throw notFound('provider')
  return presentOwn(own, shipped.get(name)?.given ?? null)
}

/** Returns providers in the order of their names. */
export async function listProviders(
  { db }: { db: Database },
  { limit, after }: PageQuery,
): Promise<Page<ApiProviderSummary>> {
  const cursor = readCursor(after, textKey)
  const uploaded = await listNewest(db)
  const own = ownProviders.map((provider) => presentOwn(provider, shipped.get(provider.name)?.given ?? null))
  const byName = new Map([...own, ...uploaded.map(presentUploaded)].map((one) => [one.name, one]))
  const shown = [...byName.values()]
    .filter((one) => cursor === null || one.name > cursor[0])
    .sort((one, other) => (one.name < other.name ? -1 : 1))
    .slice(0, limit + 1)
    .map(summaryOf)
  return pageOf(shown, limit, (provider) => [provider.name])
}
