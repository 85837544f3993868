import { Redis } from 'ioredis'
import { expect, test, vi } from 'vitest'
import { type ProviderName, providerNames } from '../../src/sandbox/script.ts'
import { describeEachStore } from '../support/stores.ts'
import { adminToken, testEncryptionKey } from '../support/worlds/ground.ts'
import { type Job, useService } from '../support/worlds/service.ts'
import { status } from '../webhooks/receiver.ts'

describeEachStore('a secret', (store) => {
  const app = useService(store)
  const problems: unknown[] = []

  test('is in no log line, no job, no metric, no answer, and in the database only encrypted', async () => {
    const secrets = new Map<string, string>([
      ['the admin token', adminToken],
      ['the encryption key', testEncryptionKey.toString('base64')],
      ['an endpoint’s header', 'Bearer open-sesame-4711'],
    ])
    const tokens = await Promise.all(['read', 'admin'].map(aToken))
    tokens.forEach((token, index) => void secrets.set(`API token ${index}`, token))

    const consumer = await app.consumer({ types: ['import.partial'] }, status(500, {}, 'no'))
    const headers = { authorization: secrets.get('an endpoint’s header') }
    const endpoint = { id: consumer.endpointId }
    await app.call('PATCH /v1/webhook-endpoints/{id}', endpoint, { body: { headers } })
    secrets.set('the endpoint’s old secret', consumer.secret)
    const rotated = await app.call('POST /v1/webhook-endpoints/{id}/rotate-secret', endpoint, { body: {} })
    secrets.set('the endpoint’s new secret', rotated.body.secret)

    const tracked: Job[] = []
    const held: Job[] = []
    for (const provider of providerNames) {
      for (const value of Object.values(app.sandbox.credentials(provider))) secrets.set(`${provider}’s key`, value)
      const connection = await app.connect(provider)
      held.push(await app.track(connection, { provider, faults: [{ kind: 'timeout' }] }))
      tracked.push(...(await trackAll(connection, provider)))
    }
    secrets.set('zilliant’s access token', JSON.parse(secrets.get('zilliant’s key') ?? '').access_token)
    await refusals(secrets)
    await vi.waitFor(async () => {
      for (const { id } of tracked) expect((await app.get(id)).polls).toBeGreaterThan(0)
      expect(consumer.receiver.received.length).toBeGreaterThan(2)
    }, 10_000)

    const places = {
      'the log': app.logLines.join('\n'),
      'the queue': await queueContents(),
      'the metrics': (await app.send('/metrics')).body as string,
      'the answers': JSON.stringify([...problems, ...(await everyList())]),
      'the database': await tableContents('public'),
    }
    // What is searched is really there: jobs that serve what is held, and what was logged and stored of the others.
    const serving = await app.sql(`SELECT leases.id FROM leases JOIN polling ON connection_id = owner_id
      WHERE kind = 'poll' AND import_id = ANY('{${held.map(({ id }) => id)}}')`)
    expect(serving).toHaveLength(held.length)
    for (const { id } of serving) expect(places['the queue']).toContain(id)
    for (const { id } of tracked)
      for (const place of ['the log', 'the answers', 'the database'] as const) expect(places[place]).toContain(id)
    expect(places['the metrics']).toContain('import_tracker_polls_total')

    const found = Object.entries(places).flatMap(([place, text]) =>
      [...secrets]
        .filter(([, secret]) => formsOf(secret).some((form) => text.includes(form)))
        .map(([name]) => `${name} in ${place}`),
    )
    expect(found).toEqual([])
    await app.sandbox.close() // which ends the polls that it holds
  })

  async function aToken(scope: string): Promise<string> {
    const { body } = await app.call('POST /v1/tokens', {}, { body: { name: scope, scope } })
    return body.token
  }

  /** An import that ends, and two whose provider repeats the request's secrets. */
  async function trackAll(connection: string, provider: ProviderName): Promise<Job[]> {
    const [key = ''] = Object.values(app.sandbox.credentials(provider))
    const echo = `You sent ${key}, or ${Buffer.from(key).toString('base64')}.`
    return Promise.all([
      app.track(connection, { provider, durationMs: 0, outcome: 'partial' }),
      app.track(connection, { provider, answers: [{ afterMs: 0, body: [echo] }] }),
      app.track(connection, { provider, answers: [{ afterMs: 0, status: 500, body: { message: echo, code: echo } }] }),
    ])
  }

  /** Answers to requests that are wrong, some of them in the field of a secret. */
  async function refusals(secrets: ReadonlyMap<string, string>): Promise<void> {
    const key = secrets.get('cdq’s key') ?? ''
    const put = (name: string, body: unknown) => app.call('PUT /v1/connections/{name}', { name }, { body })
    for (const answer of [
      await put('wrong', { provider: 'cdq', credentials: { apiKey: `${key}\n` } }),
      await put('wrong', { provider: 'zilliant', credentials: { tokenResponse: key } }),
      await app.call('GET /v1/imports', {}, { token: `${secrets.get('API token 0')}x` }),
      await app.call('POST /v1/tokens', {}, { token: secrets.get('API token 0') ?? '', body: {} }),
    ]) {
      expect(answer.status).toBeGreaterThanOrEqual(400)
      problems.push(answer.body)
    }
  }

  async function everyList(): Promise<unknown[]> {
    const lists = ['imports', 'connections', 'webhook-endpoints', 'events', 'deliveries', 'tokens'] as const
    return Promise.all(lists.map(async (list) => (await app.call(`GET /v1/${list}`, {})).body))
  }

  async function tableContents(schema: string): Promise<string> {
    const tables = await app.sql('SELECT tablename AS name FROM pg_tables WHERE schemaname = $1', [schema])
    const contents = tables.map(({ name }) => app.sql(`SELECT t::text AS row FROM ${schema}."${name}" t`))
    return (await Promise.all(contents)).flatMap((rows) => rows.map(({ row }) => row)).join('\n')
  }

  async function queueContents(): Promise<string> {
    const { redisUrl } = app.place
    if (!redisUrl) return tableContents('bullmq')
    const redis = new Redis(redisUrl)
    const keys = await redis.keys('*')
    const readers: Record<string, (key: string) => Promise<unknown>> = {
      string: (key) => redis.get(key),
      hash: (key) => redis.hgetall(key),
      list: (key) => redis.lrange(key, 0, -1),
      set: (key) => redis.smembers(key),
      zset: (key) => redis.zrange(key, '0', '-1'),
      stream: (key) => redis.xrange(key, '-', '+'),
    }
    const contents = await Promise.all(keys.map(async (key) => [key, await readers[await redis.type(key)]?.(key)]))
    redis.disconnect()
    return JSON.stringify(contents)
  }
})

function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret)
  const bare = secret.replace(/^whsec_/, '')
  return [
    bare,
    JSON.stringify(secret).slice(1, -1),
    JSON.stringify(JSON.stringify(secret)).slice(3, -3),
    encodeURIComponent(secret),
    bytes.toString('base64').replace(/=+$/, ''),
    bytes.toString('base64url'),
    bytes.toString('hex'),
  ]
}
