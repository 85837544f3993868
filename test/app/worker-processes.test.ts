// In real time and in processes of their own, since that is what it is about: who does what when one of them dies or
// stands still.
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, onTestFinished, test, vi } from 'vitest'
import { leaseMs } from '../../src/work/leases.ts'
import { type RunningCli, startCli } from '../cli/run.ts'
import { testEnvironment } from '../support/service.ts'
import { describeEachStore } from '../support/stores.ts'
import { hasty, useService } from '../support/worlds/service.ts'
import { type SlowProvider, startSlowProvider } from './slow-provider.ts'

describeEachStore('worker processes', (store) => {
  const app = useService(store, { roles: 'api' })
  const started: RunningCli[] = []
  afterEach(async () => {
    for (const { child, exited } of started.splice(0)) {
      child.kill('SIGKILL')
      await exited
    }
    await app.sql('DELETE FROM polling')
  })

  async function startWorker(): Promise<RunningCli & { polls(): Promise<number> }> {
    const worker = startCli([], testEnvironment({ ...app.place, roles: 'worker' }))
    started.push(worker)
    const [, url] = await worker.said(/listens on (http[^\s;]+)/)
    return {
      ...worker,
      /** How many it has made. */
      async polls() {
        const text = await (await fetch(`${url}/metrics`)).text()
        const counts = [...text.matchAll(/^import_tracker_polls_total\{.*\} (\d+)$/gm)]
        return counts.reduce((sum, [, count]) => sum + Number(count), 0)
      },
    }
  }

  let number = 0
  async function connect(baseUrl: string, intervalMs: number): Promise<string> {
    const name = `many-${number++}`
    const limits = { ...hasty, minIntervalMs: intervalMs, maxIntervalMs: intervalMs }
    const body = { provider: 'cdq', baseUrl, credentials: { apiKey: 'k' }, limits }
    await app.call('PUT /v1/connections/{name}', { name }, { body })
    return name
  }

  /** So many connections to a slow provider, with four imports each. */
  async function manyImports(connections: number) {
    const provider = await startSlowProvider(50)
    onTestFinished(() => provider.close())
    const ids: string[] = []
    for (let count = 0; count < connections; count++) {
      const connection = await connect(provider.baseUrl, 200)
      const imports = Array.from({ length: 4 }, (_, index) => ({ connection, jobId: `${connection}.${index}` }))
      const registered = await app.call('POST /v1/imports/batch', {}, { body: { imports } })
      ids.push(...registered.body.data.map((item: { import: { id: string } }) => item.import.id))
    }
    return { provider, ids }
  }

  /** Waits until each job was asked about so many times more. */
  const askedAgain = async ({ jobs }: SlowProvider, count: number, times: number) => {
    const before = new Map([...jobs].map(([id, { asked }]) => [id, asked]))
    await vi.waitFor(
      () => {
        expect(jobs.size).toBe(count)
        for (const [id, { asked }] of jobs) expect(asked).toBeGreaterThanOrEqual((before.get(id) ?? 0) + times)
      },
      { interval: 20 },
    )
  }

  /**
   * Lets the time pass that leases take. A worker may stand still within a transaction that has locked them: Postgres ends
   * it after 15 s, which is longer than a statement waits here.
   */
  const endLeases = () => vi.waitFor(() => app.sql('UPDATE leases SET until = now()'))

  async function nothingIsLost({ jobs }: SlowProvider, ids: readonly string[]) {
    // One after the other: all at once would wait for each other longer than a request may on a busy machine.
    for (const id of ids) expect(await app.call('POST /v1/imports/{id}/stop', { id })).toMatchObject({ status: 200 })
    expect([...jobs.values()].map(({ most }) => most)).toEqual(ids.map(() => 1)) // none twice at once
    for (const id of ids) expect(await app.eventTypesOf(id)).toEqual(['import.running', 'import.stopped'])
    const [stored] = await app.sql('SELECT sum(polls)::int AS polls FROM snapshots WHERE import_id = ANY($1)', [ids])
    const [counted] = await app.sql('SELECT sum(polls)::int AS polls FROM imports WHERE id = ANY($1)', [ids])
    expect(stored).toEqual(counted)
  }

  test.each([2, 4])('share the polls of many connections, and make none twice: %i of them', async (count) => {
    const { provider, ids } = await manyImports(16)
    const workers = await Promise.all(Array.from({ length: count }, startWorker))
    await askedAgain(provider, ids.length, 3)
    await vi.waitFor(async () => {
      for (const worker of workers) expect(await worker.polls()).toBeGreaterThan(10)
    })
    await nothingIsLost(provider, ids)
  })

  test('that are killed cost what they served their leases, and nothing else', async () => {
    const { provider, ids } = await manyImports(12)
    const workers = [await startWorker(), await startWorker()]
    await vi.waitFor(async () => {
      for (const worker of workers) expect(await worker.polls()).toBeGreaterThan(10)
    })
    await askedAgain(provider, ids.length, 1)
    workers[0]?.child.kill('SIGKILL')
    await workers[0]?.exited
    const killedAt = performance.now()
    await askedAgain(provider, ids.length, 3)
    expect(performance.now() - killedAt).toBeLessThan(leaseMs + 30_000) // the time that a busy machine takes besides
    await nothingIsLost(provider, ids)
  })

  test('that stand still record nothing when they wake up after their lease', async () => {
    const answers: { response: ServerResponse; statusMessage: string }[] = []
    const answer = ({ response, statusMessage }: (typeof answers)[0]) =>
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify({ id: 'j', status: 'RUNNING', statusMessage }))
    const server = createServer((_request, response) => {
      const one = { response, statusMessage: `answer ${answers.length}` }
      if (answers.push(one) > 1) answer(one) // the first one is held
    }).listen(0, '127.0.0.1')
    onTestFinished(() => void server.close().closeAllConnections())
    await vi.waitFor(() => expect(server.listening).toBe(true))
    const connection = await connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, 3_600_000)
    const { body } = await app.call('POST /v1/imports', {}, { body: { connection, jobId: 'j' } })
    const stands = await startWorker()
    await vi.waitFor(() => expect(answers).toHaveLength(1))
    stands.child.kill('SIGSTOP')
    await endLeases()
    const other = await startWorker()
    const fresh = { state: 'running', message: 'answer 1', polls: 1 }
    await vi.waitFor(async () => expect(await app.get(body.id)).toMatchObject(fresh))

    for (const one of answers.slice(0, 1)) answer(one)
    stands.child.kill('SIGCONT')
    await stands.said(/a lease was lost/)
    expect(await app.get(body.id)).toMatchObject(fresh)
    other.child.kill('SIGKILL')
    await other.exited
    await endLeases()
    await app.call('POST /v1/imports/{id}/poll', { id: body.id })
    await vi.waitFor(async () => expect(await app.get(body.id)).toMatchObject({ message: 'answer 2', polls: 2 }))
    const snapshots = await app.call('GET /v1/imports/{id}/snapshots', { id: body.id })
    expect(snapshots.body.data.map(({ message }: { message: string }) => message)).toEqual(['answer 1', 'answer 2'])
  })
})
