// Owns a house in which every page has something to show, for what holds of all pages.
import { newId } from '../../src/base/ids.ts'
import { deliveryAttempts, snapshots } from '../../src/db/schema/index.ts'
import type { Api } from '../support/worlds/api.ts'
import { unique } from '../support/worlds/ground.ts'

/** All pages that are seen signed in, by the names that their pictures get. */
export const pageNames = [
  'overview',
  'imports',
  'imports-none',
  'imports-unread',
  'import-live',
  'import-partial',
  'import-stopped',
  'connections',
  'connection',
  'connection-paused',
  'webhooks',
  'webhook',
  'webhook-replay',
  'delivery',
  'not-found',
] as const

export type PageName = (typeof pageNames)[number]

/** Makes the house, and returns the pages' paths. */
export async function everyPage(api: Api): Promise<Record<PageName, string>> {
  const connection = await api.putConnection()
  const limits = { requestsPerMonth: 1_000 }
  const paused = await api.putConnection({ provider: 'cdq', credentials: { apiKey: 'k' }, limits })
  await api.sql(`UPDATE connections SET paused_at = $1, pause_reason = 'unauthorized' WHERE name = $2`, [
    api.clock.now(),
    paused,
  ])
  const hook = { url: 'https://hooks.example.com/a/rather/long/path/of/a/receiver', types: ['import.stopped'] }
  const { body: endpoint } = await api.call('POST /v1/webhook-endpoints', {}, { body: hook })
  const rows = { rowsTotal: 10_000, rowsProcessed: 4_200, rowsFailed: 3 }
  for (const state of ['queued', 'succeeded', 'failed', 'canceled', 'lost', 'stopped'])
    await api.import({ jobId: unique(`a-job-that-is-${state}`), state, progress: 0.42, ...rows })
  await api.import({ jobId: unique('odd'), state: 'running', attention: 'unmapped_status' })
  const partial = await api.import({
    jobId: unique('partial'),
    state: 'partial',
    progress: 1,
    rowsTotal: 300,
    rowsFailed: 2,
    skippedLines: 3,
    rowResults: 2,
    detailsState: 'complete',
    finishedAt: api.clock.now(),
  })
  await api.skippedLines(partial.id, [[1, 2, 3]])
  await api.rowResults(partial.id, [
    { recordId: 'r-1', created: true },
    { recordId: 'r-2', errorCode: 'E42', errorMessage: 'No such country' },
  ])
  const live = await api.register({ connection, metadata: { team: 'sales', run: 42 } })
  await api.database.db.insert(snapshots).values({
    importId: live.id,
    state: 'running',
    providerStatus: 'PROCESSING',
    progress: 0.2,
    message: null,
    rows: { total: 500, processed: 100 },
    body: { status: 'PROCESSING' },
    firstSeenAt: api.clock.now(),
    lastSeenAt: new Date(api.clock.now().getTime() + 50_000),
    polls: 3,
  })
  const stopped = await api.register({ connection })
  await api.call('POST /v1/imports/{id}/stop', { id: stopped.id })
  const [delivery] = (await api.call('GET /v1/deliveries', {}, { query: { endpointId: endpoint.id } })).body.data
  const attempt = { deliveryId: delivery.id, number: 1, manual: false, startedAt: api.clock.now(), durationMs: 80 }
  await api.database.db
    .insert(deliveryAttempts)
    .values({ ...attempt, outcome: 'http_error', status: 503, responseSnippet: 'out of order' })
  return {
    overview: '/',
    imports: '/imports',
    'imports-none': '/imports?jobIdPrefix=nobody-has-this',
    'imports-unread': '/imports?state=done',
    'import-live': `/imports/${live.id}`,
    'import-partial': `/imports/${partial.id}`,
    'import-stopped': `/imports/${stopped.id}`,
    connections: '/connections',
    connection: `/connections/${connection}`,
    'connection-paused': `/connections/${paused}`,
    webhooks: '/webhooks',
    webhook: `/webhooks/${endpoint.id}`,
    'webhook-replay': `/webhooks/${endpoint.id}/replay`,
    delivery: `/deliveries/${delivery.id}`,
    'not-found': `/imports/${newId()}`,
  }
}
