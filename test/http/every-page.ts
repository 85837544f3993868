// Owns a house in which every page has something to show, for what holds of all pages. Who adds a page adds it here: a
// test compares the addresses with the routes of the server.
import type { Page } from 'playwright-core'
import { newId } from '../../src/base/ids.ts'
import { deliveryAttempts, snapshots } from '../../src/db/schema/index.ts'
import type { Api } from '../support/worlds/api.ts'
import { unique } from '../support/worlds/ground.ts'

export interface Place {
  /** Where it begins, below the base path. */
  path: string
  /** What is done there to get to the page: for pages that are answers to a form. */
  act?: (page: Page) => Promise<void>
}

/** All pages that are seen signed in, by the names that their pictures get. */
export const pageNames = [
  'overview',
  'imports',
  'imports-none',
  'imports-unread',
  'import-live',
  'import-partial',
  'import-stopped',
  'import-new',
  'import-new-refused',
  'many-nothing',
  'many-confirm',
  'action',
  'connections',
  'connection',
  'connection-paused',
  'connection-providers',
  'connection-new',
  'connection-new-refused',
  'connection-edit',
  'connection-edit-refused',
  'connection-delete',
  'connection-delete-refused',
  'provider-docs',
  'webhooks',
  'webhooks-refused',
  'webhook',
  'webhook-created',
  'webhook-edit',
  'webhook-edit-refused',
  'webhook-secret',
  'webhook-recover',
  'webhook-recover-refused',
  'webhook-replay',
  'webhook-replay-refused',
  'delivery',
  'not-found',
] as const

export type PageName = (typeof pageNames)[number]

/** Makes the house, and returns its pages. */
export async function everyPage(api: Api): Promise<Record<PageName, Place>> {
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
  const many = { action: 'stop', filter: { ids: [stopped.id] } }
  const { body: action } = await api.call('POST /v1/imports/actions', {}, { body: many })
  const [delivery] = (await api.call('GET /v1/deliveries', {}, { query: { endpointId: endpoint.id } })).body.data
  const attempt = { deliveryId: delivery.id, number: 1, manual: false, startedAt: api.clock.now(), durationMs: 80 }
  await api.database.db
    .insert(deliveryAttempts)
    .values({ ...attempt, outcome: 'http_error', status: 503, responseSnippet: 'out of order' })
  const ofEndpoint = `/webhooks/${endpoint.id}`

  return {
    overview: { path: '/' },
    imports: { path: '/imports' },
    'imports-none': { path: '/imports?jobIdPrefix=nobody-has-this' },
    'imports-unread': { path: '/imports?state=done' },
    'import-live': { path: `/imports/${live.id}` },
    'import-partial': { path: `/imports/${partial.id}` },
    'import-stopped': { path: `/imports/${stopped.id}` },
    'import-new': { path: '/imports/new' },
    'import-new-refused': {
      path: `/imports/new?connection=${connection}`,
      async act(page) {
        await page.getByLabel('Job id').fill('a-job')
        await page.getByLabel('Metadata').fill('no pair')
        await press(page, 'Register the import')
      },
    },
    'many-nothing': { path: '/imports/actions/confirm?action=stop' },
    'many-confirm': {
      path: '/imports',
      async act(page) {
        await page.locator('input[name=ids]').first().check()
        await press(page, 'Stop …')
      },
    },
    action: { path: `/actions/${action.id}` },
    connections: { path: '/connections' },
    connection: { path: `/connections/${connection}` },
    'connection-paused': { path: `/connections/${paused}` },
    'connection-providers': { path: '/connections/new' },
    'connection-new': { path: '/connections/new?provider=auth0' },
    'connection-new-refused': {
      path: '/connections/new?provider=auth0',
      async act(page) {
        await page.getByLabel('Name').fill('-wrong')
        await page.getByLabel('Base URL').fill('ftp://example.com')
        await press(page, 'Make the connection')
      },
    },
    'connection-edit': { path: `/connections/${paused}/edit` },
    'connection-edit-refused': {
      path: `/connections/${paused}/edit`,
      async act(page) {
        await page.getByLabel('Base URL').fill('ftp://example.com')
        await press(page, 'Save the changes')
      },
    },
    'connection-delete': { path: `/connections/${paused}/delete` },
    'connection-delete-refused': {
      path: `/connections/${connection}/delete`,
      act: (page) => press(page, 'Delete this connection'),
    },
    'provider-docs': { path: '/docs/providers/auth0' },
    webhooks: { path: '/webhooks' },
    'webhooks-refused': {
      path: '/webhooks',
      async act(page) {
        await page.getByLabel('URL').fill('https://hooks.example.com/in')
        await page.getByText('Only some imports').click()
        await page.getByLabel('Connections').fill('nobody')
        await press(page, 'Create the endpoint')
      },
    },
    webhook: { path: ofEndpoint },
    'webhook-created': {
      path: '/webhooks',
      async act(page) {
        await page.getByLabel('URL').fill('https://hooks.example.com/in')
        await press(page, 'Create the endpoint')
      },
    },
    'webhook-edit': { path: `${ofEndpoint}/edit` },
    'webhook-edit-refused': {
      path: `${ofEndpoint}/edit`,
      async act(page) {
        await page.getByText('Only some imports').click()
        await page.getByLabel('Connections').fill('nobody')
        await press(page, 'Save the changes')
      },
    },
    'webhook-secret': { path: ofEndpoint, act: (page) => press(page, 'Make a new secret') },
    'webhook-recover': { path: `${ofEndpoint}/recover` },
    'webhook-recover-refused': { path: `${ofEndpoint}/recover${backwards}` },
    'webhook-replay': { path: `${ofEndpoint}/replay` },
    'webhook-replay-refused': { path: `${ofEndpoint}/replay${backwards}` },
    delivery: { path: `/deliveries/${delivery.id}` },
    'not-found': { path: `/imports/${newId()}` },
  }
}

const backwards = '?since=2001-01-02T00:00:00.000Z&until=2001-01-01T00:00:00.000Z'

/** Sends a form, past what the browser itself would complain of, and waits for the answer. */
async function press(page: Page, name: string): Promise<void> {
  await page.evaluate(
    "for (const form of document.querySelectorAll('main form')) form.noValidate = true; for (const folded of document.querySelectorAll('main details')) folded.open = true",
  )
  const answered = page.waitForResponse((response) => response.request().method() === 'POST')
  await page.getByRole('button', { name, exact: true }).click()
  await answered
  await page.waitForLoadState()
}
