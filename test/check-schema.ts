// Owns the check that migrations/ builds the tables that src/db/schema describes: `npm run check:schema`.
import { readFile } from 'node:fs/promises'
import { isDeepStrictEqual } from 'node:util'
import { generateDrizzleJson } from 'drizzle-kit/api'
import * as schema from '../src/db/schema/index.ts'

const meta = new URL('../migrations/meta/', import.meta.url)

const differing = different(await newestSnapshot(), plain(generateDrizzleJson(schema)))
if (differing.length > 0) {
  console.error(`src/db/schema and migrations/ differ in ${differing.join(', ')}.`)
  console.error('Run: npm run db:generate -- --name <what changes>')
  process.exitCode = 1
}

/** What the migrations lead to, as the newest of them recorded it. */
async function newestSnapshot(): Promise<Record<string, unknown>> {
  const journal = JSON.parse(await readFile(new URL('_journal.json', meta), 'utf8')) as { entries: { idx: number }[] }
  const newest = Math.max(...journal.entries.map((entry) => entry.idx))
  const file = new URL(`${String(newest).padStart(4, '0')}_snapshot.json`, meta)
  return JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>
}

/** The names of tables, and of other parts of the schema, that aren't the same in both. */
function different(before: Record<string, unknown>, now: Record<string, unknown>): string[] {
  const parts = (snapshot: Record<string, unknown>): Record<string, unknown> => {
    const { id: _id, prevId: _prevId, tables, ...others } = snapshot
    return { ...(tables as Record<string, unknown>), ...others }
  }
  const old = parts(before)
  const current = parts(now)
  const names = new Set([...Object.keys(old), ...Object.keys(current)])
  return [...names].filter((name) => !isDeepStrictEqual(old[name], current[name]))
}

function plain(value: unknown): Record<string, unknown> {
  return JSON.parse(JSON.stringify(value)) as Record<string, unknown>
}
