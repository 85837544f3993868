// Owns passing many rows to a statement: `unnest` of one array for each column.
import { type SQL, sql } from 'drizzle-orm'
import { textArrayLiteral } from './array-literal.ts'

type Value = string | number | boolean | Date | null | undefined

/**
 * Returns `unnest(…) AS name (…)` for a FROM clause: a row for each object, in the given order.
 * @param types the Postgres type of each field. Its column has the field's name in snake case.
 */
export function unnest<Field extends string>(
  name: string,
  rows: readonly Readonly<Record<NoInfer<Field>, Value>>[],
  types: Readonly<Record<Field, string>>,
): SQL {
  const fields = Object.keys(types) as Field[]
  const arrays = fields.map((field) => {
    const values = textArrayLiteral(rows.map((row) => textOf(row[field])))
    return sql`${values}::${sql.raw(types[field])}[]`
  })
  const columns = fields.map((field) => sql.identifier(inSnakeCase(field)))
  return sql`unnest(${sql.join(arrays, sql`, `)}) AS ${sql.identifier(name)} (${sql.join(columns, sql`, `)})`
}

function textOf(value: Value): string | null {
  if (value === null || value === undefined) return null
  return value instanceof Date ? value.toISOString() : String(value)
}

function inSnakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
