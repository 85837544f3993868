// Owns what dropping a month of history costs: the time it takes, and how long those who read and write the same table
// meanwhile wait for an answer at the most, beside the same time without a drop.
import { setTimeout as delay } from 'node:timers/promises'
import { type SQL, sql } from 'drizzle-orm'
import { systemClock } from '../src/base/clock.ts'
import { newId } from '../src/base/ids.ts'
import { createLog } from '../src/base/log.ts'
import type { Database, OpenDatabase } from '../src/db/client.ts'
import { keepPartitions } from '../src/history/drop-months.ts'
import { percentile, print, whole } from './figures.ts'
import type { Volume } from './history-fill.ts'

const aloneMs = 5_000

export async function dropMonth({ db }: OpenDatabase, { linesOfOldestMonth }: Volume): Promise<void> {
  const alone = await beside(db, () => delay(aloneMs))
  const dropping = await beside(db, async () => {
    await delay(1_000)
    const startedAt = performance.now()
    const deps = { db, clock: systemClock, log: createLog('silent'), historyRetention: { skipped_lines: 23 } }
    const { dropped } = await keepPartitions(deps, new AbortController().signal)
    const ms = performance.now() - startedAt
    if (!dropped.some(({ table }) => table === 'skipped_lines')) throw new Error('The month was not dropped.')
    console.log(`\nA month of ${whole(linesOfOldestMonth)} skipped lines is dropped in ${whole(ms)} ms`)
    await delay(1_000)
  })
  const figures = (ms: number[]) => [
    whole(ms.length),
    ...[0.5, 0.99, 1].map((share) => percentile(ms, share).toFixed(1)),
  ]
  print(
    ['meanwhile', 'statements', 'p50, ms', 'p99, ms', 'longest, ms'],
    [
      ['reading, no drop', ...figures(alone.reads)],
      ['reading, a drop', ...figures(dropping.reads)],
      ['writing, no drop', ...figures(alone.writes)],
      ['writing, a drop', ...figures(dropping.writes)],
    ],
  )
}

/** How long each statement of a reader and of a writer took while the work was done. */
async function beside(db: Database, work: () => Promise<unknown>): Promise<{ reads: number[]; writes: number[] }> {
  const ended = new AbortController()
  const { rows } = await db.execute<{ id: string }>(sql`SELECT id FROM imports WHERE skipped_lines > 0 LIMIT 100`)
  const importId = newId()
  let page = 0
  const reads = loop(
    db,
    ended.signal,
    (n) => sql`SELECT count(*) FROM skipped_lines WHERE import_id = ${rows[n % rows.length]?.id}`,
  )
  const writes = loop(
    db,
    ended.signal,
    () =>
      sql`INSERT INTO skipped_lines SELECT ${importId}::uuid, ${page++}::int, n, n, 1 FROM generate_series(0, 999) n`,
  )
  await work()
  ended.abort()
  const times = { reads: await reads, writes: await writes }
  await db.execute(sql`DELETE FROM skipped_lines WHERE import_id = ${importId}`)
  return times
}

async function loop(db: Database, signal: AbortSignal, statement: (n: number) => SQL): Promise<number[]> {
  const times: number[] = []
  while (!signal.aborted) {
    const startedAt = performance.now()
    await db.execute(statement(times.length))
    times.push(performance.now() - startedAt)
  }
  return times
}
