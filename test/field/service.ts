// Owns the service that the table of cases is played to: its API, its workers, its queue and its database are those that
// users run. What differs is the time, which a test lets pass, and that a test ticks, so that it knows when nothing is
// under way. (startService goes by the database's clock, and by its own ticks.)

import { pino } from 'pino'
import { createChores } from '../../src/app/chores.ts'
import { createLooks } from '../../src/app/looks.ts'
import { giveUpOverdue } from '../../src/collecting/give-up.ts'
import { collectWork } from '../../src/collecting/work.ts'
import { createConnectionAccesses } from '../../src/connections/access.ts'
import { endpointsToServe } from '../../src/delivering/due.ts'
import { createAgents } from '../../src/egress/agents.ts'
import { createGuard } from '../../src/egress/guard.ts'
import { loseOverdue } from '../../src/imports/end-unasked.ts'
import { pollWork } from '../../src/polling/work.ts'
import { createProviderClient, providerTimeouts } from '../../src/providers/client.ts'
import type { Claimable } from '../../src/work/claim.ts'
import { createServer } from '../../src/work/serve.ts'
import { createTick } from '../../src/work/ticks.ts'
import { type Api, startApi } from '../support/worlds/api.ts'
import { testEncryption } from '../support/worlds/ground.ts'

export interface PacedService {
  api: Api
  /** Looks for what is due and has it done: polls and collections. Resolves when all of it is recorded. */
  doWhatIsDue(): Promise<void>
  close(): Promise<void>
}

export async function startPacedService(): Promise<PacedService> {
  const opened = new AsyncDisposableStack()
  const api = await startApi({}, null)
  const { clock, queues, database } = api
  const { db } = database
  opened.defer(() => database.close())
  opened.defer(() => queues.close())
  opened.defer(() => api.server.close({ graceMs: 1_000 }))
  const log = pino({ level: 'silent' })
  const agents = createAgents({ guard: createGuard({ allowedCidrs: ['127.0.0.0/8'] }), timeouts: providerTimeouts })
  opened.defer(() => agents.destroy())
  const accesses = createConnectionAccesses({ db, encryption: testEncryption, log })
  const client = createProviderClient({ agents, clock })
  const wake = Object.assign(() => {}, { listen() {} })
  const deps = { db, clock, log, client, accesses, wake, queues, historyRetention: {} }
  const kinds = { poll: pollWork({ ...deps, observe: () => {} }), collect: collectWork(deps) }
  const deliver: Claimable = { name: 'deliver', due: endpointsToServe }
  // The time stands still while what is due is done: nothing becomes due meanwhile.
  const served = { ...deps, pace: { lingerMs: -1 } }
  const servers = { poll: createServer(kinds.poll, served), collect: createServer(kinds.collect, served) }
  for (const kind of ['poll', 'collect'] as const) {
    const worker = queues.work(kind, ({ leaseId }, hurry) => servers[kind].serve(leaseId, hurry), { concurrency: 400 })
    opened.defer(() => worker.drain())
  }
  const tick = createTick({
    enqueueDue: createLooks({ ...deps, kinds: { ...kinds, deliver } }),
    chores: createChores(deps),
  })
  const { signal } = new AbortController()

  async function isUnderWay(): Promise<boolean> {
    const { rows } = await database.pool.query('SELECT 1 FROM leases LIMIT 1')
    return rows.length > 0
  }

  return {
    api,
    async doWhatIsDue() {
      // A tick does these every five seconds, of the machine's time.
      await loseOverdue(deps)
      await giveUpOverdue(deps)
      await Promise.all([tick({ kind: 'poll' }, signal), tick({ kind: 'collect' }, signal)])
      while (await isUnderWay()) await new Promise((resolve) => setTimeout(resolve, 5))
    },
    close: () => opened.disposeAsync(),
  }
}
