// Owns playing imports to the service itself: its polling with a real Postgres, and the sandbox over a socket. The time is
// the one thing that is made up: it goes from due to due.
import { randomBytes } from 'node:crypto'
import { eq } from 'drizzle-orm'
import { pino } from 'pino'
import type { Clock } from '../../src/base/clock.ts'
import { createEncryption } from '../../src/base/encryption.ts'
import { newId, phase } from '../../src/base/ids.ts'
import { createConnectionAccesses } from '../../src/connections/access.ts'
import type { IntervalLimits } from '../../src/connections/backoff.ts'
import { type PutConnectionInput, putConnectionSchema } from '../../src/connections/input.ts'
import { putConnection } from '../../src/connections/put.ts'
import type { Database } from '../../src/db/client.ts'
import { baselines, connections, imports, polling } from '../../src/db/schema/index.ts'
import { createAgents } from '../../src/egress/agents.ts'
import { createGuard } from '../../src/egress/guard.ts'
import { registerImport } from '../../src/imports/register.ts'
import { pollWork } from '../../src/polling/work.ts'
import { createProviderClient, providerTimeouts } from '../../src/providers/client.ts'
import { startSandbox } from '../../src/sandbox/server.ts'
import type { Outcome } from './replay.ts'

/** An import that is played to the service. Epoch milliseconds. */
export interface Played {
  startedAt: number
  durationMs: number
  /** Percents of progress, and from when on they are shown. Absent: the vendor shows none. */
  progress?: readonly { afterMs: number; percent: number }[]
  metadata?: Record<string, unknown>
}

export interface ServedOutcome extends Outcome {
  /** The phase of the import's id, which spreads its polls. */
  phase: number
}

/** Plays imports one after the other to a connection of their own, of which nothing is known. CDQ tells no ends. */
export async function serve(
  db: Database,
  played: readonly Played[],
  { limits, baselineBy = [] }: { limits: IntervalLimits; baselineBy?: string[] },
): Promise<ServedOutcome[]> {
  await using opened = new AsyncDisposableStack()
  let now = new Date(played[0]?.startedAt ?? 0)
  const clock: Clock = { now: () => now }
  const sandbox = await startSandbox({ clock, keepRequests: 1 })
  opened.defer(() => sandbox.close())
  const guard = createGuard({ allowedCidrs: ['127.0.0.0/8'] })
  const agents = createAgents({ guard, timeouts: providerTimeouts })
  opened.defer(() => agents.destroy())
  const encryption = createEncryption([randomBytes(32)])
  const log = pino({ level: 'silent' })
  const accesses = createConnectionAccesses({ db, encryption, log })
  const client = createProviderClient({ agents, clock })
  const kind = pollWork({ clock, log, client, accesses, observe: () => {} })
  await db.delete(baselines) // or what other connections have taught would be known of the vendor
  const name = `played-${newId()}`
  const input: PutConnectionInput = putConnectionSchema.parse({
    provider: 'cdq',
    baseUrl: sandbox.baseUrl('cdq'),
    credentials: sandbox.credentials('cdq'),
    limits: { ...limits, deadlineMs: 366 * 86_400_000 },
    baselineBy,
  })
  await putConnection(
    { db, clock, encryption, guard, by: { tokenId: null, name: 'bench', scope: 'admin' } },
    name,
    input,
  )
  const [connection] = await db.select().from(connections).where(eq(connections.name, name))
  if (!connection) throw new Error('The connection is gone.')

  async function pollOnce(): Promise<void> {
    const owners = [{ id: connection?.id ?? '', underWay: new Map(), isQuick: false }]
    const { items } = await db.transaction((tx) => kind.begin(tx, owners, 10, now))
    const hold = { leaseId: '', isHeld: () => true, signal: new AbortController().signal }
    const done = await Promise.all(items.map((item) => kind.act(item, hold)))
    const heard = done.filter((one) => one !== 'aborted')
    if (heard.length === 0) throw new Error('An import was due, and nothing was asked.')
    await db.transaction((tx) => kind.record(tx, heard, now))
  }

  const outcomes: ServedOutcome[] = []
  for (const { startedAt, durationMs, progress, metadata } of played) {
    now = new Date(startedAt)
    const script = progress && { steps: stepsOf(progress, durationMs) }
    const job = sandbox.add({ provider: 'cdq', durationMs, progress: 'none', rows: 1, ...script })
    const { importId } = await registerImport({ db, clock }, { connection: name, jobId: job.jobId, metadata })
    for (;;) {
      const [due] = await db.select().from(polling).where(eq(polling.importId, importId))
      if (!due) break
      now = due.dueAt
      await pollOnce()
    }
    const [row] = await db.select().from(imports).where(eq(imports.id, importId))
    if (row?.state !== 'succeeded' || !row.finishedAt) throw new Error(`An import is ${row?.state}.`)
    const delayMs = row.finishedAt.getTime() - startedAt - durationMs
    outcomes.push({ calls: row.polls, delayMs, phase: phase(importId) })
  }
  return outcomes
}

function stepsOf(progress: NonNullable<Played['progress']>, durationMs: number) {
  const running = progress.map(({ afterMs, percent }) => ({ afterMs, status: 'RUNNING', progress: percent }))
  return [...running, { afterMs: durationMs, status: 'FINISHED', progress: 100 }]
}
