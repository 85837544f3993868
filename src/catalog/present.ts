// Owns how the API shows a provider.
import { z } from 'zod'
import type { Provider } from '../providers/contract.ts'
import { namePattern } from '../providers/document/document.ts'

export const sources = ['builtin', 'shipped', 'uploaded'] as const

export const providerSummarySchema = z
  .object({
    name: z.string(),
    title: z.string(),
    source: z
      .enum(sources)
      .describe(
        '`builtin`: a part of the service. `shipped`: a document that comes with it. `uploaded`: one of yours.',
      ),
    revision: z.number().int().nullable().describe('Of an uploaded document, from 1.'),
    baseUrl: z.string().nullable().describe('Null: each connection has its own.'),
    createdAt: z.iso.datetime().nullable().describe('When this revision was uploaded.'),
  })
  .meta({ id: 'ProviderSummary' })

export const providerSchema = providerSummarySchema
  .extend({
    document: z.record(z.string(), z.unknown()).nullable().describe('Null: it is part of the service.'),
  })
  .meta({ id: 'Provider' })

export type ApiProviderSummary = z.infer<typeof providerSummarySchema>
export type ApiProvider = z.infer<typeof providerSchema>

export function presentOwn(provider: Provider, document: Record<string, unknown> | null): ApiProvider {
  const source = document === null ? 'builtin' : 'shipped'
  const { name, title = name, defaultBaseUrl: baseUrl } = provider
  return { name, title, source, revision: null, baseUrl, createdAt: null, document }
}

export function presentUploaded(row: {
  name: string
  revision: number
  document: Record<string, unknown>
  createdAt: Date
}): ApiProvider {
  const { name, revision, document, createdAt } = row
  return {
    name,
    title: String(document.title ?? name),
    source: 'uploaded',
    revision,
    baseUrl: typeof document.baseUrl === 'string' ? document.baseUrl : null,
    createdAt: createdAt.toISOString(),
    document,
  }
}

export function summaryOf({ document: _document, ...summary }: ApiProvider): ApiProviderSummary {
  return summary
}

/** The name of a provider that may come to be known at any time. */
export const providerNameSchema = z.string().regex(namePattern, 'must be the name of a provider')
