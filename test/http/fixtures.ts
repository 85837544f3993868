// Owns what the API tests need to be there: connections, and imports with rows, as the workers would have left them.

import { newId } from '../../src/base/ids.ts'
import {
  connections,
  type imports,
  imports as importsTable,
  rowResults,
  skippedLines,
} from '../../src/db/schema/index.ts'
import type { Api } from './api.ts'

let number = 0

/** A name that no other test uses. */
export function unique(prefix: string): string {
  number += 1
  return `${prefix}-${number}`
}

export const cdqConnection = { provider: 'cdq', credentials: { apiKey: 'key-of-the-tests' } }

/** Puts a connection by the API, and says its name. */
export async function aConnection(api: Api, input: Record<string, unknown> = cdqConnection): Promise<string> {
  const name = unique('connection')
  await api.call('PUT /v1/connections/{name}', { name }, { body: input })
  return name
}

/** Registers an import by the API. */
export async function anImport(api: Api, fields: Record<string, unknown> = {}) {
  const connection = fields.connection ?? (await aConnection(api))
  const { body } = await api.call('POST /v1/imports', {}, { body: { connection, jobId: unique('job'), ...fields } })
  return body as { id: string; connection: string; jobId: string }
}

/** Stores an import as it is, past the API. */
export async function aStoredImport(api: Api, columns: Partial<typeof imports.$inferInsert> = {}): Promise<string> {
  const now = api.clock.now()
  const id = newId()
  const connectionId = columns.connectionId ?? (await aStoredConnection(api))
  const required = {
    jobId: unique('job'),
    state: 'pending',
    registeredAt: now,
    deadlineMs: 1,
    deadlineAt: now,
    metadata: {},
  }
  await api.database.db.insert(importsTable).values({ ...required, ...columns, id, connectionId })
  return id
}

export async function aStoredConnection(api: Api): Promise<string> {
  const now = api.clock.now()
  const id = newId()
  const row = { id, name: unique('stored'), provider: 'cdq', credentials: '', settings: {}, limits: {} }
  await api.database.db.insert(connections).values({ ...row, createdAt: now, updatedAt: now })
  return id
}

export async function withSkippedLines(api: Api, importId: string, pages: (number | null)[][]): Promise<void> {
  const rows = pages.flatMap((lines, page) =>
    lines.map((line, position) => ({ importId, page, position, line, column: line === null ? null : 1 })),
  )
  await api.database.db.insert(skippedLines).values(rows)
}

export async function withRowResults(
  api: Api,
  importId: string,
  rows: Partial<typeof rowResults.$inferInsert>[],
): Promise<void> {
  await api.database.db.insert(rowResults).values(rows.map((row, index) => ({ row: index, page: 0, ...row, importId })))
}
