// Owns which providers the API's document knows: also those that were uploaded since the process started.

import type { Log } from '../base/log.ts'
import { listNewest } from '../catalog/documents.ts'
import type { Database } from '../db/client.ts'
import type { Provider } from '../providers/contract.ts'
import { createDocumentProvider } from '../providers/document/provider.ts'
import { documentSchema } from '../providers/document/read-document.ts'
import { type OpenApiDocument, openApiDocument } from './openapi.ts'
import type { Operation } from './operation.ts'

/**
 * Returns a function that reads the document. It is made anew, which takes some 200 ms, once others are uploaded. All
 * who ask at once share one look at the database. While that is away, the last document is good enough.
 */
export function createDescription(
  { db, log }: { db: Database; log: Log },
  operations: readonly Operation[],
  basePath: string,
): () => Promise<OpenApiDocument> {
  let last = { of: '', document: openApiDocument(operations, basePath) }
  let asked: Promise<OpenApiDocument> | null = null
  return () => {
    asked ??= describe().finally(() => {
      asked = null
    })
    return asked
  }

  async function describe(): Promise<OpenApiDocument> {
    try {
      const uploaded = await listNewest(db)
      const of = uploaded.map(({ name, revision }) => `${name}@${revision}`).join()
      if (of !== last.of) last = { of, document: openApiDocument(operations, basePath, uploaded.flatMap(read)) }
    } catch (error) {
      log.warn({ err: error }, 'the API’s document may lack providers that were uploaded lately')
    }
    return last.document
  }
}

/** A newer version may have stored what this one doesn't know. */
function read({ document }: { document: unknown }): Provider[] {
  const { data } = documentSchema.safeParse(document)
  return data ? [createDocumentProvider(data) as Provider] : []
}
