import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { unnest } from '../../src/db/unnest.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'

let database: TestDatabase

beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())

const types = { jobId: 'text', dueAt: 'timestamptz', isLate: 'boolean', progress: 'float8', body: 'jsonb' } as const

test('rows reach a statement with each value as it was, in the given order', async () => {
  const text = 'quotes " and \' and \\\\, a comma, {braces}, NULL and a\nline'
  const rows = [
    { jobId: text, dueAt: new Date('2026-11-25T19:40:00.123Z'), isLate: true, progress: 0.1, body: '{"a":[1,"\\""]}' },
    { jobId: 'null', dueAt: null, isLate: false, progress: -1e-7, body: null },
    { jobId: '', dueAt: undefined, isLate: null, progress: null, body: '[]' },
  ]

  const { rows: read } = await database.db.execute(sql`
    SELECT job_id, (extract(epoch FROM due_at) * 1000)::float8 AS due_ms, is_late, progress, body
    FROM ${unnest('given', rows, types)}`)

  expect(read).toEqual([
    { job_id: text, due_ms: rows[0]?.dueAt?.getTime(), is_late: true, progress: 0.1, body: { a: [1, '"'] } },
    { job_id: 'null', due_ms: null, is_late: false, progress: -1e-7, body: null },
    { job_id: '', due_ms: null, is_late: null, progress: null, body: [] },
  ])
})

test('no rows make no rows', async () => {
  const { rows } = await database.db.execute(sql`SELECT * FROM ${unnest('given', [], types)}`)

  expect(rows).toEqual([])
})
