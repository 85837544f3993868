// Owns downloads of an import's rows by the cookie of a session.
import type { IRouter } from 'express'
import type { z } from 'zod'
import { notFound } from '../../api/refusal.ts'
import { isId } from '../../base/ids.ts'
import type { Database } from '../../db/client.ts'
import { requireImport } from '../../imports/read.ts'
import { csv, download, ndjson } from '../download.ts'
import { type RowList, rowResultList, skippedLineList } from '../row-lists.ts'
import { noStore } from '../security-headers.ts'
import { type PageGuardDeps, principalOf, requireSignIn } from './guard.ts'

export interface DownloadDeps extends PageGuardDeps {
  db: Database
  /** Aborts when the server stops. */
  stopping: AbortSignal
}

export function mountImportDownloads(app: IRouter, deps: DownloadDeps): void {
  mountRows(app, deps, skippedLineList)
  mountRows(app, deps, rowResultList)
}

function mountRows<Schema extends z.ZodType>(app: IRouter, deps: DownloadDeps, rows: RowList<Schema>): void {
  const { name, batches, columns, cells } = rows
  for (const mediaType of [csv, ndjson] as const) {
    const path = `/imports/:id/${name}.${mediaType === csv ? 'csv' : 'ndjson'}`
    app.get(path, noStore, requireSignIn(deps, 'read'), async (request, response) => {
      const id = String(request.params.id)
      if (!isId(id)) throw notFound('import')
      await requireImport(deps.db, id)
      const gone = new AbortController()
      response.once('close', () => gone.abort())
      const answer = deps.limits.placed('download', principalOf(response), (revoked) =>
        download({
          name: `${name}-${id}`,
          mediaType,
          batches: batches(deps, id),
          bom: mediaType === csv, // whoever clicks opens it with Excel
          columns,
          cells,
          signal: AbortSignal.any([deps.stopping, gone.signal, revoked]),
        }),
      )
      await answer.stream(response)
    })
  }
}
