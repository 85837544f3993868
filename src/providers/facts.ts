// Owns the facts of a connection's provider: those of this version's own providers, or those that the connection keeps.
import type { ProviderFacts } from '../model/provider-facts.ts'
import type { Provider } from './contract.ts'
import { findProvider, isOwnProvider } from './index.ts'

/** A connection, as far as its provider is concerned. */
export interface Pinned {
  provider: string
  providerFacts: ProviderFacts | null
}

export function factsOf(provider: Provider): ProviderFacts {
  return {
    limits: provider.defaultLimits,
    hasPages: hasPages(provider),
    jobId: provider.jobId ?? null,
    baseUrl: provider.defaultBaseUrl,
  }
}

/** Returns true if its rows can be asked for apart from the status: in pages, or in files. */
export function hasPages({ details, files }: Pick<Provider, 'details' | 'files'>): boolean {
  return details !== undefined || files !== undefined
}

/** @throws {TypeError} if this version doesn't know the provider; see {@link isKnown}. */
export function pinnedFacts({ provider, providerFacts }: Pinned): ProviderFacts {
  return providerFacts ?? factsOf(findProvider(provider))
}

/** The facts as what `effectiveLimits` takes. */
export function defaultsOf(pinned: Pinned): { defaultLimits: ProviderFacts['limits'] } {
  return { defaultLimits: pinnedFacts(pinned).limits }
}

/** Returns false for a provider that only another version knows. */
export function isKnown({ provider, providerFacts }: Pinned): boolean {
  return providerFacts !== null || isOwnProvider(provider)
}
