import { expect, test, vi } from 'vitest'
import type { ScriptInput } from '../../src/sandbox/script.ts'
import type { Sandbox } from '../../src/sandbox/server.ts'
import { describeEachStore } from '../support/stores.ts'
import { useService } from '../support/worlds/service.ts'

const minute = 60_000

describeEachStore('trouble at a provider', (store) => {
  const app = useService(store)
  const cdq = (script: Partial<ScriptInput> = {}): ScriptInput => ({ provider: 'cdq', durationMs: minute, ...script })
  const asked = (sandbox: Sandbox) => sandbox.requests().length
  const shown = async (connection: string) => (await app.call('GET /v1/connections/{name}', { name: connection })).body

  /** Lets the service look for due work a few times: imports elsewhere go from their registration to their end. */
  async function meanwhile() {
    const connection = await app.connect('zilliant')
    for (let times = 0; times < 3; times++)
      await app.over((await app.track(connection, { provider: 'zilliant', durationMs: 0 })).id)
  }

  test('a 429 stops the whole connection for as long as the provider says, and no other', async () => {
    const sandbox = await app.ownSandbox()
    const connection = await app.connect('cdq', { sandbox })
    sandbox.setOutage('cdq', { kind: 'rate_limited', retryAfterS: 600 })
    const first = await app.track(connection, cdq(), { sandbox })
    await vi.waitFor(async () => expect((await shown(connection)).blockedUntil).not.toBeNull())
    const before = asked(sandbox)
    const second = await app.track(connection, cdq({ durationMs: 0 }), { sandbox })
    await app.call('POST /v1/imports/{id}/poll', { id: first.id })
    await meanwhile()
    expect(asked(sandbox)).toBe(before)
    expect(await app.get(first.id)).toMatchObject({ state: 'pending', polls: 1, lastError: { code: 'rate_limited' } })
    expect(await app.get(second.id)).toMatchObject({ polls: 0, lastError: null })

    sandbox.setOutage('cdq', null)
    await app.sql('UPDATE connections SET blocked_until = now() WHERE name = $1', [connection])
    expect(await app.over(second.id)).toMatchObject({ state: 'succeeded' })
  })

  test('refused credentials pause the connection but for one probe, and new ones resume it', async () => {
    const sandbox = await app.ownSandbox()
    const connection = await app.connect('cdq', { sandbox })
    const types = ['connection.paused', 'connection.resumed', 'import.succeeded']
    const consumer = await app.consumer({ types, connections: [connection] })
    const told = () => consumer.webhooks().map(({ type, data }) => [type, data.name ?? data.id])
    const script = { provider: 'cdq', durationMs: 0 } as const
    const credentials = sandbox.rotateCredentials('cdq')
    const first = await app.track(connection, script, { sandbox })
    await vi.waitFor(() => expect(told()).toEqual([['connection.paused', connection]]), 5_000)
    expect(await shown(connection)).toMatchObject({ pauseReason: 'unauthorized' })

    const second = await app.track(connection, script, { sandbox })
    await meanwhile()
    expect(asked(sandbox)).toBe(1)
    await app.sql('UPDATE connections SET next_probe_at = now() WHERE name = $1', [connection])
    await vi.waitFor(() => expect(asked(sandbox)).toBe(2))
    await meanwhile()
    expect(asked(sandbox)).toBe(2)

    const { baseUrl, settings, limits } = await shown(connection)
    const body = { provider: 'cdq', baseUrl, settings, limits, credentials }
    await app.call('PUT /v1/connections/{name}', { name: connection }, { body })
    for (const { id } of [first, second]) expect(await app.over(id)).toMatchObject({ state: 'succeeded' })
    await vi.waitFor(() => expect(told()).toHaveLength(4), 5_000)
    expect(told().filter(([type]) => type !== 'import.succeeded')).toEqual([
      ['connection.paused', connection],
      ['connection.resumed', connection],
    ])
    expect(await shown(connection)).toMatchObject({ pausedAt: null, pauseReason: null })
  })

  test('credentials that are refused after they were replaced pause nothing', async () => {
    const connection = await app.connect('cdq')
    const atRequest = 1
    const { id, job } = await app.track(connection, {
      ...cdq(),
      faults: [
        { kind: 'unauthorized', atRequest },
        { kind: 'slow_body', overMs: 500, atRequest },
      ],
    })
    await vi.waitFor(() => expect(app.sandbox.requests().at(-1)).toMatchObject({ jobId: job.jobId, status: 401 }))
    const { baseUrl, limits } = await shown(connection)
    const body = { provider: 'cdq', baseUrl, limits, credentials: app.sandbox.credentials('cdq') }
    await app.call('PUT /v1/connections/{name}', { name: connection }, { body })
    await app.reaches(id, 'running')
    expect((await app.call('GET /v1/imports/{id}/snapshots', { id })).body.data).toHaveLength(1)
    const { body: events } = await app.call('GET /v1/events', {}, { query: { limit: 1_000 } })
    expect(events.data.filter(({ data }: { data: { name?: string } }) => data.name === connection)).toEqual([])
  })

  test('a probe that is answered resumes the connection', async () => {
    const sandbox = await app.ownSandbox()
    const connection = await app.connect('cdq', { sandbox })
    sandbox.setOutage('cdq', { kind: 'unauthorized' })
    const { id } = await app.track(connection, cdq({ durationMs: 0 }), { sandbox })
    await vi.waitFor(async () => expect((await shown(connection)).pausedAt).not.toBeNull(), 5_000)
    sandbox.setOutage('cdq', null)
    await app.sql('UPDATE connections SET next_probe_at = now() WHERE name = $1', [connection])
    expect(await app.over(id)).toMatchObject({ state: 'succeeded' })
    expect(await shown(connection)).toMatchObject({ pausedAt: null })
  })

  test('a paused connection’s imports are lost at their deadline, because nobody could know', async () => {
    const sandbox = await app.ownSandbox()
    const connection = await app.connect('cdq', { sandbox })
    sandbox.setOutage('cdq', { kind: 'unauthorized' })
    const early = await app.track(connection, cdq(), { sandbox })
    await vi.waitFor(async () => expect((await shown(connection)).pausedAt).not.toBeNull(), 5_000)
    const late = await app.track(connection, cdq(), { sandbox })
    await app.sql('UPDATE imports SET deadline_at = now() WHERE id = ANY($1)', [[early.id, late.id]])
    for (const { id } of [early, late]) {
      expect(await app.over(id)).toMatchObject({ state: 'lost', lostReason: 'unauthorized' })
      expect(await app.eventTypesOf(id)).toEqual(['import.lost'])
    }
    expect(asked(sandbox)).toBe(1)
  })

  test('a status that nobody has mapped asks for attention and ends nothing', async () => {
    const { id } = await app.track(await app.connect('cdq'), {
      ...cdq({ durationMs: 2 * minute }),
      faults: [{ kind: 'unknown_status', status: 'REINDEXING', betweenMs: [0, minute] }],
    })
    await vi.waitFor(async () => expect(await app.get(id)).toMatchObject({ attention: 'unmapped_status' }), 5_000)
    expect(await app.get(id)).toMatchObject({ state: 'pending', providerStatus: 'REINDEXING' })
    app.sandboxClock.advance(minute)
    expect(await app.reaches(id, 'running')).toMatchObject({ attention: null })
    app.sandboxClock.advance(minute)
    await app.over(id)
    expect(await app.eventTypesOf(id)).toEqual(['import.attention', 'import.running', 'import.succeeded'])
  })

  test('garbage is recorded without the credentials in it, and asking goes on', async () => {
    const { apiKey } = app.sandbox.credentials('cdq')
    const encoded = Buffer.from(apiKey).toString('base64')
    const { id } = await app.track(await app.connect('cdq'), {
      ...cdq(),
      answers: [
        { afterMs: 0, body: `You sent ${apiKey} (${encoded}), and this is no job.` },
        { afterMs: minute, body: { status: 'FINISHED', result: { statistics: { numberOfFailed: 0 } } } },
      ],
    })
    await vi.waitFor(async () => expect((await app.get(id)).polls).toBeGreaterThan(1), 5_000)
    expect(await app.get(id)).toMatchObject({ state: 'pending', lastError: { code: 'invalid_response' } })
    const [stored] = await app.sql(`SELECT last_error->>'body' AS body FROM imports WHERE id = $1`, [id])
    expect(stored?.body).toBe('"You sent *** (***), and this is no job."')
    app.sandboxClock.advance(minute)
    expect(await app.over(id)).toMatchObject({ state: 'succeeded', lastError: null })
  })

  test('answers that are none are asked for again', async () => {
    const kinds = ['reset', 'garbage', 'server_error'] as const
    const { id } = await app.track(await app.connect('zilliant'), {
      provider: 'zilliant',
      durationMs: 0,
      faults: kinds.map((kind, index) => ({ kind, atRequest: index + 1 })),
    })
    expect(await app.over(id)).toMatchObject({ state: 'succeeded', polls: kinds.length + 1 })
    expect(await app.eventTypesOf(id)).toEqual(['import.succeeded'])
  })

  test('an import that was seen is lost at the third 404, not before', async () => {
    const connection = await app.connect('cdq')
    const faults = (last: number): ScriptInput['faults'] => [{ kind: 'not_found', atRequest: [2, last] }]
    const gone = await app.track(connection, { ...cdq(), faults: faults(9_999) })
    await app.sql(`UPDATE imports SET registered_at = now() - interval '1 min' WHERE id = $1`, [gone.id])
    const flapping = await app.track(connection, { ...cdq(), faults: faults(3) })
    expect(await app.over(gone.id)).toMatchObject({ state: 'lost', lostReason: 'not_found', polls: 4 })
    expect(await app.eventTypesOf(gone.id)).toEqual(['import.running', 'import.lost'])
    await vi.waitFor(async () => expect((await app.get(flapping.id)).polls).toBeGreaterThan(4), 5_000)
    expect(await app.get(flapping.id)).toMatchObject({ state: 'running', lastError: null })
  })

  test('an import that was never there is lost, but not in its first seconds', async () => {
    const body = { connection: await app.connect('cdq'), jobId: 'nobody-knows-it' }
    const { id } = (await app.call('POST /v1/imports', {}, { body })).body
    await vi.waitFor(async () => expect((await app.get(id)).polls).toBeGreaterThan(5), 10_000)
    expect(await app.get(id)).toMatchObject({ state: 'pending', lastError: { code: 'not_found' } })
    // A poll that is under way writes down what it was begun with.
    await vi.waitFor(async () => {
      await app.sql(`UPDATE polling SET not_found_since = now() - interval '10 s' WHERE import_id = $1`, [id])
      expect((await app.get(id)).finishedAt).not.toBeNull()
    })
    expect(await app.over(id)).toMatchObject({ state: 'lost', lostReason: 'not_found' })
    expect(await app.eventTypesOf(id)).toEqual(['import.lost'])
  })

  test('a job that is there a little later is followed like any other', async () => {
    for (const provider of ['cdq', 'micro'] as const) {
      const { id } = await app.track(await app.connect(provider), {
        provider,
        durationMs: minute,
        faults: [{ kind: 'not_found', atRequest: [1, 4] }],
      })
      await app.reaches(id, 'running')
      app.sandboxClock.advance(minute)
      expect(await app.over(id)).toMatchObject({ state: 'succeeded', progress: 1, lastError: null })
      expect((await app.eventTypesOf(id)).filter((type) => type !== 'import.rows_collected')).toEqual([
        'import.running',
        'import.succeeded',
      ])
    }
  })

  test('an import is lost at its deadline, and can be resumed', async () => {
    const { id } = await app.track(await app.connect('cdq'), cdq(), { deadlineMs: 600_000 })
    await app.reaches(id, 'running')
    await app.sql('UPDATE imports SET deadline_at = now() WHERE id = $1', [id])
    expect(await app.over(id)).toMatchObject({ state: 'lost', lostReason: 'deadline' })
    await app.call('POST /v1/imports/{id}/resume', { id })
    await app.reaches(id, 'running')
    await app.call('POST /v1/imports/{id}/stop', { id })
    const lived = ['import.running', 'import.lost', 'import.resumed', 'import.running', 'import.stopped']
    expect(await app.eventTypesOf(id)).toEqual(lived)
  })

  test('an import that was archived before its end was seen is lost', async () => {
    const { id } = await app.track(await app.connect('cdq'), cdq({ outcome: 'archived' }))
    await app.reaches(id, 'running')
    app.sandboxClock.advance(minute)
    expect(await app.over(id)).toMatchObject({ state: 'lost', lostReason: 'archived', providerStatus: 'ARCHIVED' })
    expect(await app.eventTypesOf(id)).toEqual(['import.running', 'import.lost'])
  })
})
