// Owns what each peer does in a poll, so that they differ in their queue alone: a request to the vendor, and one
// statement that updates the import and stores the answer.
import { Pool as Database } from 'pg'
import { Pool } from 'undici'

export interface PeerOptions {
  databaseUrl: string
  redisUrl: string
  /** Where the vendor is, on this machine. */
  port: number
  imports: number
  everyMs: number
  /** Polls under way at once. */
  concurrency: number
}

export const options = JSON.parse(process.argv[2] ?? '{}') as PeerOptions

const database = new Database({ connectionString: options.databaseUrl, max: 10 })
const vendor = new Pool(`http://127.0.0.1:${options.port}`, { connections: options.concurrency, pipelining: 1 })

export async function createTables(): Promise<void> {
  await database.query(`
    CREATE TABLE peer_imports (
      id int PRIMARY KEY, state text NOT NULL, progress int, polls int NOT NULL DEFAULT 0, last_polled_at timestamptz);
    CREATE TABLE peer_answers (
      import_id int NOT NULL, answered_at timestamptz NOT NULL, status text, progress int, body jsonb NOT NULL);
    CREATE INDEX peer_answers_import ON peer_answers (import_id, answered_at)`)
  await database.query('INSERT INTO peer_imports SELECT n, $2 FROM generate_series(1, $1::int) n', [
    options.imports,
    'pending',
  ])
}

export async function poll(id: number): Promise<void> {
  const { body } = await vendor.request({
    method: 'GET',
    path: `/jobs/importjobs/job-${id}`,
    headers: { 'x-api-key': 'key' },
  })
  const text = await body.text()
  const { status, progress } = JSON.parse(text) as { status: string; progress: number }
  await database.query({
    name: 'record',
    text: `WITH updated AS (
        UPDATE peer_imports SET state = $2, progress = $3, polls = polls + 1, last_polled_at = now() WHERE id = $1)
      INSERT INTO peer_answers VALUES ($1, now(), $2, $3, $4)`,
    values: [id, status, progress, text],
  })
}

/** Says that the peer polls, and ends with the benchmark. */
export function ready(): void {
  process.on('SIGTERM', () => process.exit(0))
  process.on('disconnect', () => process.exit(0))
  process.send?.('ready')
}

/** Does something for each import, a thousand at a time. */
export async function forEachThousand(work: (ids: number[]) => Promise<unknown>): Promise<void> {
  for (let first = 1; first <= options.imports; first += 1_000) {
    const count = Math.min(1_000, options.imports - first + 1)
    await work(Array.from({ length: count }, (_, index) => first + index))
  }
}
