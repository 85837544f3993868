// Owns which limits hold for a connection: its own where it has them, else its provider's.
import type { StoredLimits } from '../db/schema/index.ts'
import type { DefaultLimits, Provider } from '../providers/contract.ts'

export function effectiveLimits(provider: Pick<Provider, 'defaultLimits'>, own: StoredLimits): DefaultLimits {
  return { ...provider.defaultLimits, ...own }
}
