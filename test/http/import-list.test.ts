import { describe, expect, test } from 'vitest'
import { useApi } from '../support/worlds/api.ts'
import { unique } from '../support/worlds/ground.ts'

const api = useApi()
const list = async (query: Record<string, string | number>) => {
  const { body } = await api.call('GET /v1/imports', {}, { query })
  return body as { data: { id: string; jobId: string }[]; next: string | null }
}
const jobs = async (query: Record<string, string | number>) => (await list(query)).data.map(({ jobId }) => jobId)

describe('filters', () => {
  test('several states are those of any of them, in one order, and pages go through all of them', async () => {
    const { id: connectionId } = await api.connection()
    const own = unique('states')
    for (const [index, state] of ['failed', 'lost', 'running', 'failed', 'lost'].entries())
      await api.import({ connectionId, jobId: `${own}-${index}`, state, registeredAt: at(index) })
    const query = { state: 'lost,failed', jobIdPrefix: own }
    expect(await jobs(query)).toEqual([4, 3, 1, 0].map((index) => `${own}-${index}`))
    const first = await list({ ...query, order: 'oldest', limit: 3 })
    const second = await list({ ...query, order: 'oldest', limit: 3, after: first.next ?? '' })
    expect([...first.data, ...second.data].map(({ jobId }) => jobId)).toEqual([0, 1, 3, 4].map((n) => `${own}-${n}`))
    expect(second.next).toBeNull()
  })

  test('a provider’s imports come in one order from all its connections', async () => {
    const fullstory = { provider: 'fullstory', credentials: { apiKey: 'k' } }
    const names = [await api.putConnection(fullstory), await api.putConnection(fullstory)]
    const ids: string[] = []
    for (const connection of [0, 1, 0, 1].map((index) => names[index])) {
      api.clock.advance(1)
      ids.push((await api.register({ connection })).id)
    }
    const first = await list({ provider: 'fullstory', limit: 3 })
    const second = await list({ provider: 'fullstory', limit: 3, after: first.next ?? '' })
    expect([...first.data, ...second.data].map(({ id }) => id)).toEqual(ids.toReversed())
  })

  test('a prefix of the job id is meant as it is, whatever LIKE makes of it', async () => {
    const own = unique('prefix')
    for (const rest of ['a_b%c', 'axb%c', 'a_bxc', 'A_b%c', '\\_', 'ä🙂x']) await api.register({ jobId: own + rest })
    expect(await jobs({ jobIdPrefix: `${own}a_b%` })).toEqual([`${own}a_b%c`])
    expect(await jobs({ jobIdPrefix: `${own}\\` })).toEqual([`${own}\\_`])
    expect(await jobs({ jobIdPrefix: `${own}ä🙂` })).toEqual([`${own}ä🙂x`])
    expect((await jobs({ jobIdPrefix: own })).length).toBe(6)
  })

  test('metadata is compared by the text of its scalar, and keys may hold dots', async () => {
    const own = unique('meta')
    const kept = { number: 42, text: '42', list: ['42'], object: { a: 42 }, longer: '421', yes: true, none: null }
    for (const [name, value] of Object.entries(kept))
      await api.register({ jobId: `${own}-${name}`, metadata: { 'run.no': value, own } })
    const found = async (value: string) => (await jobs({ 'metadata.run.no': value, 'metadata.own': own })).toSorted()
    expect(await found('42')).toEqual([`${own}-number`, `${own}-text`])
    expect(await found('true')).toEqual([`${own}-yes`])
    expect(await found('null')).toEqual([`${own}-none`])
    expect(await found('42.0')).toEqual([])
    expect(await found('["42"]')).toEqual([])
    expect(await jobs({ 'metadata.run.no': '42', 'metadata.own': 'another' })).toEqual([])
  })

  test('times include their beginning and not their end', async () => {
    const { id: connectionId } = await api.connection()
    const own = unique('times')
    for (const index of [0, 1, 2])
      await api.import({
        connectionId,
        jobId: `${own}-${index}`,
        state: 'failed',
        registeredAt: at(index + 60),
        finishedAt: at(index + 70),
      })
    const range = (after: number, before: number) => ({
      after: at(after).toISOString(),
      before: at(before).toISOString(),
    })
    const { after, before } = range(71, 72)
    expect(await jobs({ jobIdPrefix: own, finishedAfter: after, finishedBefore: before })).toEqual([`${own}-1`])
    expect(await jobs({ finishedAfter: after, finishedBefore: before })).toEqual([`${own}-1`])
    const registered = range(61, 62)
    expect(await jobs({ registeredAfter: registered.after, registeredBefore: registered.before })).toEqual([`${own}-1`])
  })

  test('what ended after a moment comes from the oldest on, however long it took, and pages go through all of it', async () => {
    const { id: connectionId } = await api.connection()
    const own = unique('long')
    const endedAt = (name: string, seconds: number, end: number | null) =>
      api.import({
        connectionId,
        jobId: `${own}-${name}`,
        state: end === null ? 'running' : 'failed',
        registeredAt: at(4_000_000 + (end ?? 0) - seconds),
        finishedAt: end === null ? null : at(4_000_000 + end),
      })
    await endedAt('for long', 3_000_000, 5)
    await endedAt('too early', 90, -1)
    await endedAt('just then', 64, 0)
    await endedAt('at once', 0, 1)
    await endedAt('by another clock', -2, 2)
    await endedAt('for an hour', 3_600, 3_599)
    await endedAt('goes on', 10, null)
    const query = { finishedAfter: at(4_000_000).toISOString(), order: 'oldest', limit: 2 }
    const found: string[] = []
    for (let next: string | null = ''; next !== null; ) {
      const page = await list({ ...query, ...(next && { after: next }) })
      found.push(...page.data.map(({ jobId }) => jobId))
      next = page.next
    }
    expect(found.filter((jobId) => jobId.startsWith(own))).toEqual(
      ['for long', 'just then', 'for an hour', 'at once', 'by another clock'].map((name) => `${own}-${name}`),
    )
    expect(await jobs({ ...query, state: 'lost,failed', jobId: `${own}-just then` })).toEqual([`${own}-just then`])
  })

  test.each([
    ['state', 'failed,done', 'pending, queued, running, succeeded, partial, failed, canceled, lost, stopped'],
    ['provider', 'acme', 'cdq, '],
    ['attention', 'odd', 'unmapped_status, '],
    ['order', 'up', 'newest, oldest'],
    ['finishedAfter', 'yesterday', 'ISO 8601'],
    ['meta.team', 'x', 'is not known'],
  ])('?%s=%s is refused, and the refusal lists the right ones', async (name, value, listed) => {
    const { status, body } = await api.call('GET /v1/imports', {}, { query: { [name]: value } })
    expect(status).toBe(400)
    expect(body.errors).toMatchObject([{ field: name, message: expect.stringContaining(listed) }])
  })
})

describe('acting on many', () => {
  const act = (body: Record<string, unknown>, token?: string) =>
    api.call('POST /v1/imports/actions', {}, { body, ...(token && { token }) })

  test('stops those that are live, leaves the others, and says so; a dry run only counts', async () => {
    const connection = await api.putConnection()
    const live = [await api.register({ connection }), await api.register({ connection })]
    const over = await api.register({ connection })
    await api.call('POST /v1/imports/{id}/stop', { id: over.id })
    const body = { filter: { connection }, action: 'stop' }
    const dry = await act({ ...body, dryRun: true })
    expect(dry.body).toEqual({ count: 3, done: 0, skipped: 1, more: false, dryRun: true })
    expect(await jobs({ connection, state: 'pending' })).toHaveLength(2)
    const before = api.wakes.deliver
    expect((await act(body)).body).toEqual({ count: 3, done: 2, skipped: 1, more: false, dryRun: false })
    expect(api.wakes.deliver).toBe(before + 1)
    for (const { id } of live) {
      const events = (await api.call('GET /v1/imports/{id}/events', { id })).body.data
      expect(events).toMatchObject([{ type: 'import.stopped', data: { state: 'stopped', nextPollAt: null } }])
    }
  })

  test('takes a thousand a call, and goes on where it is called again', async () => {
    const connection = await api.putConnection()
    for (let index = 0; index < 2; index++)
      await api.call(
        'POST /v1/imports/batch',
        {},
        { body: { imports: Array.from({ length: 501 }, (_none, n) => ({ connection, jobId: `${index}-${n}` })) } },
      )
    const stop = { filter: { connection }, action: 'stop' }
    expect((await act({ ...stop, dryRun: true })).body).toMatchObject({ count: 1_000, more: true })
    expect((await act(stop)).body).toMatchObject({ count: 1_000, done: 1_000, skipped: 0, more: true })
    expect((await act(stop)).body).toMatchObject({ done: 2, more: false })
    const resume = { filter: { connection, state: ['stopped'] }, action: 'resume' }
    expect((await act(resume)).body).toMatchObject({ done: 1_000, more: true })
    expect((await act(resume)).body).toEqual({ count: 2, done: 2, skipped: 0, more: false, dryRun: false })
  })

  test('polls what is named, and never resumes by force', async () => {
    const one = await api.register()
    await api.database.pool.query(`UPDATE polling SET due_at = due_at + interval '1 hour' WHERE import_id = $1`, [
      one.id,
    ])
    const { id: failed } = await api.import({ state: 'failed', finishedAt: api.clock.now() })
    const ids = [one.id, failed]
    expect((await act({ filter: { ids }, action: 'poll' })).body).toMatchObject({ count: 2, done: 1, skipped: 1 })
    expect((await api.call('GET /v1/imports/{id}', { id: one.id })).body.nextPollAt).toBe(api.clock.now().toISOString())
    expect((await act({ filter: { ids }, action: 'resume' })).body).toMatchObject({ count: 2, done: 0, skipped: 2 })
  })

  test('a resume that an import refuses is skipped, and holds up no other', async () => {
    const good = await api.register()
    await api.call('POST /v1/imports/{id}/stop', { id: good.id })
    const { id: connectionId } = await api.connection()
    const { id: orphan } = await api.import({ connectionId, state: 'lost', finishedAt: api.clock.now() })
    await api.database.pool.query('UPDATE connections SET deleted_at = now() WHERE id = $1', [connectionId])
    const { body } = await act({ filter: { ids: [orphan, good.id] }, action: 'resume' })
    expect(body).toMatchObject({ count: 2, done: 1, skipped: 1 })
    expect((await api.call('GET /v1/imports/{id}', { id: good.id })).body.state).toBe('pending')
  })

  test.each([
    [{ filter: {}, action: 'stop' }, 'filter', 'at least one key'],
    [{ filter: { metadata: {} }, action: 'stop' }, 'filter.metadata', 'at least one key'],
    [{ filter: { jobIdPrefix: '' }, action: 'stop' }, 'filter.jobIdPrefix', 'must not be empty'],
    [{ action: 'stop' }, 'filter', 'required'],
    [{ filter: { jobId: 'x' }, action: 'delete' }, 'action', 'poll, stop, resume'],
    [{ filter: { state: ['done'] }, action: 'stop' }, 'filter.state.0', 'pending, '],
    [{ filter: { metadata: { a: { b: 1 } } }, action: 'stop' }, 'filter.metadata.a', 'a string'],
    [{ filter: { jobId: 'x', team: 'x' }, action: 'stop' }, 'filter.team', 'not known'],
    [{ filter: { ids: ['x'] }, action: 'stop' }, 'filter.ids.0', 'UUID'],
  ])('%j is refused', async (body, field, message) => {
    const answer = await act(body as Record<string, unknown>)
    expect(answer.body).toMatchObject({ status: 400, errors: [{ field, message: expect.stringContaining(message) }] })
  })

  test('needs the scope write; whose token it is, anybody may ask', async () => {
    const { token } = (await api.call('POST /v1/tokens', {}, { body: { name: 'reader', scope: 'read' } })).body
    expect((await act({ filter: { jobId: 'x' }, action: 'stop' }, token)).status).toBe(403)
    expect((await api.call('GET /v1/me', {}, { token })).body).toEqual({ name: 'reader', scope: 'read' })
  })
})

function at(seconds: number): Date {
  return new Date(Date.UTC(2026, 0, 3, 0, 0, seconds))
}
