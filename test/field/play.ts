// Owns how the table of cases is played: each row has a connection of its own at one sandbox, all of them are tracked by
// one real service, and time passes for both together, from one due call to the next, while nothing is under way. So
// hours of waiting take seconds, and a slow machine changes nothing but how long that is.
import { after } from '../../src/base/clock.ts'
import { endPolling } from '../../src/imports/polling-row.ts'
import type { ApiImport } from '../../src/imports/present.ts'
import type { ProviderName, ScriptInput } from '../../src/sandbox/script.ts'
import { type Sandbox, startSandbox } from '../../src/sandbox/server.ts'
import type { RequestRecord } from '../../src/sandbox/world.ts'
import type { Api } from '../support/worlds/api.ts'
import { type PacedService, startPacedService } from './service.ts'

export type Answers = NonNullable<ScriptInput['answers']>
export type Answer = NonNullable<Answers[number]>

/** One case at one provider. */
export interface Row {
  /** The kind that it stands for. */
  kind: string
  title: string
  provider: ProviderName
  answers: Answers
  /** What else the script says. */
  script?: Partial<ScriptInput>
  /** Other imports on the same connection, each of them alone on its job. */
  beside?: readonly Answers[]
  limits?: Record<string, number>
  /** It is looked at so long after it was registered; else when it is over and collected. */
  forMs?: number
  /** By then it must be over and collected. */
  withinMs?: number
  /** What the API shows of the import. */
  expected: Record<string, unknown>
  /** Its events, but for those of attention. */
  told?: readonly string[]
  check?(played: Played): void | Promise<void>
}

/** What became of a row. */
export interface Played {
  import: ApiImport
  events: string[]
  /** The provider's requests for the import, and the moments in seconds since the first one. */
  requests: RequestRecord[]
  atS: number[]
  beside: Pick<Played, 'import' | 'requests' | 'atS'>[]
  connection: Record<string, unknown>
  connectionEvents: string[]
  /** Calls over the connection that failed, by `call code`, as SQL tells. */
  failedCalls: Record<string, number>
  /** Lists of the API. */
  list(what: 'snapshots' | 'row-results' | 'skipped-lines'): Promise<Record<string, unknown>[]>
  sql(text: string): Promise<Record<string, unknown>[]>
}

/** As fast as the rows want to be, and metered by nothing. */
const hasty = { minIntervalMs: 200, maxIntervalMs: 1_000, maxInFlight: 20 }
const unmetered = { requestsPerSecond: 1_000, requestsPerMonth: 10_000_000 }

const longestMs = 15 * 60_000
/** Calls that are due so close to each other are made together; later on, those within a thirtieth of the time passed. */
const quantumMs = 500
const longestStepMs = 60_000

interface Tracked {
  row: Row
  connection: string
  importIds: string[]
  jobIds: string[]
}

export interface Stage extends AsyncDisposable {
  played(row: Row): Promise<Played>
}

/** Plays the rows; each is over, or has had its time. */
export async function play(rows: readonly Row[]): Promise<Stage> {
  const opened = new AsyncDisposableStack()
  const service = await startPacedService()
  opened.defer(() => service.close())
  const { api } = service
  const sandbox = await startSandbox({ clock: api.clock, keepRequests: 200_000 })
  opened.defer(() => sandbox.close())
  const tracked = await Promise.all(rows.map((row, index) => track(api, sandbox, row, `${row.provider}-${index}`)))
  await passTime(service, sandbox, tracked)
  return {
    async played(row) {
      const found = tracked.find((one) => one.row === row)
      if (!found) throw new Error(`${row.title} wasn't played.`)
      return look(api, sandbox, found)
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

async function track(api: Api, sandbox: Sandbox, row: Row, name: string): Promise<Tracked> {
  const { provider, limits = hasty } = row
  const connection = {
    provider,
    baseUrl: sandbox.baseUrl(provider),
    credentials: sandbox.credentials(provider),
    settings: sandbox.settings(provider),
    limits: { ...(provider === 'micro' ? unmetered : { requestsPerSecond: unmetered.requestsPerSecond }), ...limits },
  }
  await demand(api.call('PUT /v1/connections/{name}', { name }, { body: connection }))
  const jobIds = [row.answers, ...(row.beside ?? [])].map((answers) => {
    const script: ScriptInput = { provider, ...row.script, answers }
    return sandbox.add(script).jobId
  })
  const imports = jobIds.map((jobId) => ({ connection: name, jobId }))
  const { data } = await demand(api.call('POST /v1/imports/batch', {}, { body: { imports } }))
  return {
    row,
    connection: name,
    jobIds,
    importIds: data.map((one: { import: { id: string } }) => one.import.id),
  }
}

async function demand(answered: ReturnType<Api['call']>) {
  const { status, body } = await answered
  if (status >= 300) throw new Error(`${status} ${JSON.stringify(body)}`)
  return body
}

async function passTime(service: PacedService, sandbox: Sandbox, tracked: readonly Tracked[]): Promise<void> {
  const { api } = service
  const start = api.clock.now()
  let going = [...tracked]
  let idleRounds = 0
  while (going.length > 0) {
    const asked = sandbox.requests().length
    await service.doWhatIsDue()
    going = await stillGoing(api, going, api.clock.now().getTime() - start.getTime())
    idleRounds = sandbox.requests().length === asked ? idleRounds + 1 : 0
    await toNextCall(api, api.clock.now().getTime() - start.getTime(), idleRounds)
  }
}

/** Those that have neither ended nor had their time. The others aren't asked about any more. */
async function stillGoing({ database }: Api, going: readonly Tracked[], passedMs: number): Promise<Tracked[]> {
  const { rows } = await database.pool.query(
    'SELECT import_id AS id FROM polling UNION SELECT id FROM imports WHERE next_collect_at IS NOT NULL',
  )
  const live = new Set(rows.map(({ id }) => id))
  const still = going.filter(({ row, importIds: [id] }) =>
    row.forMs === undefined ? live.has(id) && passedMs < (row.withinMs ?? longestMs) : passedMs < row.forMs,
  )
  const ended = going.filter((one) => !still.includes(one)).flatMap(({ importIds }) => importIds)
  for (const id of ended) await database.db.transaction((tx) => endPolling(tx, id))
  if (ended.length > 0)
    await database.pool.query('UPDATE imports SET next_collect_at = NULL WHERE id = ANY($1::uuid[])', [ended])
  return still
}

async function toNextCall({ clock, database }: Api, passedMs: number, idleRounds: number): Promise<void> {
  const now = clock.now()
  const { rows } = await database.pool.query<{ at: Date | null }>(
    `SELECT min(greatest(due.at, c.blocked_until, CASE WHEN c.paused_at IS NOT NULL THEN c.next_probe_at END)) AS at
      FROM (
        SELECT connection_id, due_at AS at FROM polling
        UNION ALL SELECT connection_id, next_collect_at FROM imports WHERE next_collect_at IS NOT NULL
      ) AS due JOIN connections c ON c.id = due.connection_id`,
  )
  const nextMs = (rows[0]?.at?.getTime() ?? 0) - now.getTime()
  // What is due and isn't done waits for something else, such as its connection's turn.
  const leastMs = Math.max(quantumMs, passedMs / 30) * 2 ** Math.min(idleRounds, 5)
  clock.set(after(now, Math.min(Math.max(nextMs, leastMs), longestStepMs)))
}

async function look(api: Api, sandbox: Sandbox, { connection: name, importIds, jobIds }: Tracked): Promise<Played> {
  const { pool } = api.database
  const [id = ''] = importIds
  const one = async (importId: string, index: number) => {
    const { body } = await api.call('GET /v1/imports/{id}', { id: importId })
    const requests = sandbox.requests().filter(({ jobId }) => jobId === jobIds[index])
    const first = requests[0]?.at.getTime() ?? 0
    return { import: body as ApiImport, requests, atS: requests.map(({ at }) => (at.getTime() - first) / 1_000) }
  }
  const [main, ...beside] = await Promise.all(importIds.map(one))
  if (!main) throw new Error('Nothing was tracked.')
  const events = await api.call('GET /v1/imports/{id}/events', { id })
  const ofConnection = await pool.query<{ type: string }>(
    `SELECT e.type FROM events e JOIN connections c ON c.id = e.connection_id
      WHERE c.name = $1 AND e.type LIKE 'connection.%' ORDER BY e.id`,
    [name],
  )
  const failed = await pool.query<{ what: string; calls: number }>(
    `SELECT concat_ws(' ', call, code) AS what, sum(calls)::int AS calls FROM reporting.failed_calls
      WHERE connection = $1 GROUP BY 1`,
    [name],
  )
  const types = (data: readonly { type: string }[]) => data.map(({ type }) => type)
  return {
    ...main,
    beside,
    events: types(events.body.data).filter((type) => !/attention|stalled|overdue/.test(type)),
    connection: (await api.call('GET /v1/connections/{name}', { name })).body,
    failedCalls: Object.fromEntries(failed.rows.map(({ what, calls }) => [what, calls])),
    connectionEvents: types(ofConnection.rows),
    async list(what) {
      const { body } = await api.call(`GET /v1/imports/{id}/${what}`, { id }, { query: { limit: 1_000 } })
      return body.data
    },
    sql: async (text) => (await pool.query(text, [id])).rows,
  }
}
