// Owns the operations on parts of one import: its history and its rows.
import type { z } from 'zod'
import { invalid } from '../../api/refusal.ts'
import type { Database } from '../../db/client.ts'
import { listSnapshots, snapshotSchema } from '../../imports/history.ts'
import { requireImport } from '../../imports/read.ts'
import { csv, download, ndjson } from '../download.ts'
import type { ApiLimits } from '../limits.ts'
import { answer, type Operation, operation } from '../operation.ts'
import { booleanParam, idParams, pageQuery, pageSchema } from '../parameters.ts'
import { type RowList, rowResultList, skippedLineList } from '../row-lists.ts'

interface Deps {
  db: Database
  limits: ApiLimits
}

const tag = 'Imports'

export function importDetailOperations(deps: Deps): Operation[] {
  return [
    operation({
      id: 'listSnapshots',
      method: 'get',
      path: '/v1/imports/{id}/snapshots',
      scope: 'read',
      tag,
      summary: 'List the provider’s reports over time, the oldest first',
      params: idParams,
      query: pageQuery,
      answers: { 200: { description: 'A page of reports.', schema: pageSchema(snapshotSchema) } },
      handle: async ({ params, query }) => answer(200, await listSnapshots(deps, params.id, query)),
    }),

    rowList(deps, skippedLineList),
    rowList(deps, rowResultList),
  ]
}

const rowQuery = pageQuery.extend({
  bom: booleanParam(
    'For CSV: begin with a byte order mark, by which Excel recognises UTF-8 in a file. Other programs take it for a part of the first name.',
  ).optional(),
})

function rowList<Schema extends z.ZodType>(deps: Deps, rows: RowList<Schema>): Operation {
  const { id, name, summary, schema, list, batches, columns, cells } = rows
  return operation({
    id,
    method: 'get',
    path: `/v1/imports/{id}/${name}`,
    scope: 'read',
    tag,
    summary,
    description: `Returns pages of JSON. With \`Accept: ${csv}\` or \`${ndjson}\`, streams all rows at once. In CSV, an apostrophe stands before any text that a spreadsheet would run as a formula, except plain numbers. Spreadsheets drop leading zeros and round long numbers unless the column is imported as text.`,
    params: idParams,
    query: rowQuery,
    answers: {
      200: {
        description: 'A page of rows, or all of them.',
        schema: pageSchema(schema),
        streams: {
          [csv]: { description: `With a header: ${columns.join(',')}` },
          [ndjson]: { description: 'All rows, one JSON object a line.', item: schema },
        },
      },
    },
    async handle({ params, query, preferred, signal, principal }) {
      const mediaType = preferred(['application/json', csv, ndjson])
      if (query.bom !== undefined && mediaType !== csv)
        throw invalid('bom', 'can’t be used here: only CSV may have one')
      if (mediaType !== csv && mediaType !== ndjson) return answer(200, await list(deps, params.id, query))
      if (query.after !== undefined) throw invalid('after', 'can’t be used here: a download has all of them')
      await requireImport(deps.db, params.id)
      return deps.limits.placed('download', principal, (revoked) =>
        download({
          name: `${name}-${params.id}`,
          mediaType,
          batches: batches(deps, params.id),
          bom: query.bom ?? false,
          columns,
          cells,
          signal: AbortSignal.any([signal, revoked]),
        }),
      )
    },
  })
}
