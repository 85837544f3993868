import { sql } from 'drizzle-orm'
import { describe, expect, test } from 'vitest'
import { useImportWorld } from '../imports/world.ts'

const world = useImportWorld()

async function ask(query: ReturnType<typeof sql>) {
  const { rows } = await world.db.execute(query)
  return rows as Record<string, unknown>[]
}
const viewNames = [
  'daily_outcomes',
  'duration_baseline',
  'endpoint_health',
  'imports',
  'open_imports',
  'progress',
  'row_results',
  'skipped_columns',
  'skipped_lines',
  'status_periods',
  'webhook_deliveries',
]

describe('the schema', () => {
  test('has these views and nothing else', async () => {
    const rows = await ask(
      sql`SELECT relname, relkind FROM pg_class WHERE relnamespace = 'reporting'::regnamespace ORDER BY 1`,
    )
    expect(rows).toEqual(viewNames.map((relname) => ({ relname, relkind: 'v' })))
  })

  test('says of every view and every column what it is', async () => {
    const rows = await ask(sql`
      SELECT c.relname, a.attname FROM pg_class c
      LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
      WHERE c.relnamespace = 'reporting'::regnamespace
        AND (obj_description(c.oid, 'pg_class') IS NULL OR col_description(c.oid, a.attnum) IS NULL)`)
    expect(rows).toEqual([])
  })
})
