// Owns the providers that come with this version: files, one line each here, and the documents of `providers/`.
// catalog/ owns those that are uploaded.
import { cdq } from './cdq.ts'
import type { Provider } from './contract.ts'
import { fullstory } from './fullstory.ts'
import { micro } from './micro.ts'
import { readShipped } from './shipped.ts'
import { zilliant } from './zilliant.ts'

const registry = { cdq, micro, zilliant, fullstory }

export type ProviderName = keyof typeof registry

/** The providers that are files. No document can have their names. */
export const providers: Readonly<Record<ProviderName, Provider>> = registry

export const providerNames = Object.keys(registry) as [ProviderName, ...ProviderName[]]

/** The providers that come as documents, by name. */
export const shipped = readShipped()

/** Both, the files first. */
export const ownProviders: readonly Provider[] = [
  ...Object.values(registry),
  ...[...shipped.values()].map(({ provider }) => provider as Provider),
]

const byName = new Map(ownProviders.map((provider) => [provider.name, provider]))

/** Returns the provider of this name that comes with this version. @throws {TypeError} */
export function findProvider(name: string): Provider {
  const provider = byName.get(name)
  if (!provider) throw new TypeError(`There is no provider ${JSON.stringify(name)}.`)
  return provider
}

/** Returns true if a file is the provider of this name. */
export function isProviderName(name: string): name is ProviderName {
  return Object.hasOwn(registry, name)
}

/** Returns true if a provider of this name comes with this version. */
export function isOwnProvider(name: string): boolean {
  return byName.has(name)
}
