// Owns the providers that come with this version as documents: `providers/*.json`, read once at the start.
import { readdirSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ProviderDocument } from './document/document.ts'
import { createDocumentProvider, type DocumentProvider } from './document/provider.ts'
import { documentSchema } from './document/read-document.ts'

export interface Shipped {
  provider: DocumentProvider
  /** As it was written. */
  given: Record<string, unknown>
}

const folder = fileURLToPath(new URL('../../providers/', import.meta.url))

/** Reads them by name. @throws {Error} naming a file that isn't the document of its name. */
export function readShipped(from = folder): Map<string, Shipped> {
  const files = readdirSync(from)
    .filter((file) => file.endsWith('.json'))
    .sort()
  return new Map(files.map((file) => [basename(file, '.json'), readFile(from, file)]))
}

function readFile(from: string, file: string): Shipped {
  const given: unknown = JSON.parse(readFileSync(`${from}/${file}`, 'utf8'))
  const { data, error } = documentSchema.safeParse(given)
  if (error) throw new Error(`providers/${file} is no document of a provider: ${error.message}`)
  requireName(data, file)
  return { provider: createDocumentProvider(data), given: given as Record<string, unknown> }
}

function requireName({ name }: ProviderDocument, file: string): void {
  if (name !== basename(file, '.json')) throw new Error(`providers/${file} is the document of ${name}.`)
}
