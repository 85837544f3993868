// Owns how docs/cookbook.md is read and asked: a question is a `###` heading with one sql block and one text block, its
// answer. The test of the cookbook and the benchmark of the history both go by this.
import { readFile, writeFile } from 'node:fs/promises'
import { type FieldDef, types } from 'pg'

export interface Question {
  /** From 1, in the order of the document. */
  number: number
  title: string
  sql: string
  /** As printed in the document. */
  answer: string
}

/** A connection of its own: what is asked as of a moment needs a transaction. */
export interface Asker {
  query(sql: string): Promise<{ rows: unknown[][]; fields: FieldDef[] }>
}

interface Answer {
  rows: unknown[][]
  /** The table as the document prints it. */
  text: string
}

const file = new URL('../../docs/cookbook.md', import.meta.url)
const pattern = /^### (\d+)\. (.+?)\n.*?^```sql\n(.*?)^```\n\s*^```text\n(.*?)^```$/gms

export async function readCookbook(): Promise<Question[]> {
  const text = await readFile(file, 'utf8')
  return [...text.matchAll(pattern)].map(([, number, title = '', sql = '', answer = '']) => ({
    number: Number(number),
    title,
    sql: sql.trim(),
    answer: answer.trimEnd(),
  }))
}

/** Writes the answers, by the number of their question, into the document. */
export async function writeAnswers(answers: ReadonlyMap<number, string>): Promise<void> {
  const text = await readFile(file, 'utf8')
  const written = text.replace(pattern, (whole: string, number: string, _title: string, _sql: string, old: string) => {
    const answer = answers.get(Number(number))
    return answer === undefined ? whole : `${whole.slice(0, -`${old}\`\`\``.length)}${answer}\n\`\`\``
  })
  await writeFile(file, written)
}

/** The query as of a moment: `now()` is that moment; else as it is printed. */
export function sqlOf({ sql }: Pick<Question, 'sql'>, asOf: Date | null = null): string {
  return asOf === null ? sql : sql.replaceAll('now()', `timestamptz '${asOf.toISOString()}'`)
}

/** Asks it on a client whose rows are arrays (`rowMode: 'array'`, see `arrayAsker`). */
export async function ask(asker: Asker, question: Question, asOf: Date | null = null): Promise<Answer> {
  await asker.query('BEGIN READ ONLY')
  try {
    if (asOf !== null) await asker.query(`SET LOCAL reporting.now = '${asOf.toISOString()}'`)
    const { rows, fields } = await asker.query(sqlOf(question, asOf))
    return { rows, text: tableOf(fields, rows) }
  } finally {
    await asker.query('ROLLBACK')
  }
}

/** Asks a client of `pg`. */
export function arrayAsker(client: {
  query(query: { text: string; rowMode: 'array' }): Promise<{ rows: unknown[][]; fields: FieldDef[] }>
}): Asker {
  return { query: (text) => client.query({ text, rowMode: 'array' }) }
}

function tableOf(fields: readonly FieldDef[], rows: readonly unknown[][]): string {
  const names = fields.map(({ name }) => name)
  const lines = [names, ...rows.map((row) => row.map((value, index) => show(value, fields[index]?.dataTypeID)))]
  const widths = names.map((_, index) => Math.max(...lines.map((line) => (line[index] ?? '').length)))
  const aligned = lines.map((line) =>
    line
      .map((cell, index) =>
        isNumeric(fields[index]) ? cell.padStart(widths[index] ?? 0) : cell.padEnd(widths[index] ?? 0),
      )
      .join(' | ')
      .trimEnd(),
  )
  const rule = widths.map((width) => '-'.repeat(width)).join('-+-')
  return [aligned[0], rule, ...aligned.slice(1)].join('\n')
}

function isNumeric(field: FieldDef | undefined): boolean {
  const { INT2, INT4, INT8, FLOAT4, FLOAT8, NUMERIC } = types.builtins
  return field !== undefined && [INT2, INT4, INT8, FLOAT4, FLOAT8, NUMERIC].includes(field.dataTypeID)
}

function show(value: unknown, type: number | undefined): string {
  if (value === null || value === undefined) return ''
  if (value instanceof Date && type === types.builtins.DATE) return localDay(value)
  if (value instanceof Date) return value.toISOString().replace('.000Z', 'Z')
  if (typeof value === 'object') return JSON.stringify(value)
  return String(value)
}

/** A date comes as midnight where this process is. */
function localDay(date: Date): string {
  const part = (number: number) => String(number).padStart(2, '0')
  return `${date.getFullYear()}-${part(date.getMonth() + 1)}-${part(date.getDate())}`
}
