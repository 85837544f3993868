// Owns the list of providers: one line each. A new provider is one file and one line here.
import { cdq } from './cdq.ts'
import type { Provider } from './contract.ts'
import { fullstory } from './fullstory.ts'
import { micro } from './micro.ts'
import { zilliant } from './zilliant.ts'

const registry = { cdq, micro, zilliant, fullstory }

export type ProviderName = keyof typeof registry

export const providers: Readonly<Record<ProviderName, Provider>> = registry

export const providerNames = Object.keys(registry) as [ProviderName, ...ProviderName[]]

/**
 * Returns the provider of this name. Check names from outside against {@link providerNames} first. @throws {TypeError}
 */
export function findProvider(name: string): Provider {
  if (!isProviderName(name)) throw new TypeError(`There is no provider ${JSON.stringify(name)}.`)
  return providers[name]
}

export function isProviderName(name: string): name is ProviderName {
  return Object.hasOwn(registry, name)
}
