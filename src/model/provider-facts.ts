// Owns what is asked of a provider where no call is made: facts that a connection keeps of the document that it is pinned
// to, because reading a document there would cost more than the answer is worth.
import type { DefaultLimits } from './limits.ts'

export interface ProviderFacts {
  limits: DefaultLimits
  /** It has rows in pages of their own. */
  hasPages: boolean
  /** Where its job ids stand in a URL. */
  jobId: { kind: 'segment' | 'path' | 'url'; maxLength: number } | null
  /** Null: each connection has its own. */
  baseUrl: string | null
}
