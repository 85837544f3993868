// Owns finding the provider of a stored connection, which was checked when it was stored.
import type { Provider } from '../providers/contract.ts'
import { findProvider } from '../providers/index.ts'

export function providerOf(connection: { provider: string }): Provider {
  const provider = findProvider(connection.provider)
  if (provider === null) throw new Error(`This build has no provider ${connection.provider}.`)
  return provider
}
