import { describe, expect, test } from 'vitest'
import { deliveryAttempts } from '../../src/db/schema/index.ts'
import { openHeaders } from '../../src/webhooks/endpoints/headers.ts'
import { useApi } from '../support/worlds/api.ts'
import { executablePath, hasBrowser, lookAround, signIn, useBrowser } from './browser.ts'

describe.skipIf(!hasBrowser)(`the pages of webhooks and connections in Chromium (${executablePath})`, () => {
  const api = useApi()
  const withPage = useBrowser(api)

  test('an endpoint is made with its secret shown once, tried, looked at, recovered and disabled', async () => {
    await withPage(
      async (page) => {
        await signIn(page, `${api.url}/webhooks`)
        await page.getByLabel('URL').fill('https://hooks.example.com/in?key=private')
        await page.getByText('Only some imports').click()
        await page.getByLabel('Connections').fill('nobody')
        await page.getByLabel('Name of header 1').fill('Authorization')
        await page.getByLabel('Value of header 1').fill('secret-of-a-header')
        await page.getByLabel('import.resumed').check()
        await lookAround(page, 'webhooks-empty')
        await page.getByRole('button', { name: 'Create the endpoint' }).click()
        await page.getByText('No. 1 must name an existing connection').waitFor()
        expect(await page.getByLabel('URL').inputValue()).toBe('https://hooks.example.com/in?key=private')
        expect(await page.content()).not.toContain('secret-of-a-header')
        await lookAround(page, 'webhook-refused')
        await page.getByLabel('Connections').fill('')
        expect(await page.getByLabel('Value of header 1').getAttribute('required')).toBe('')
        await page.getByLabel('Value of header 1').fill('secret-of-a-header')
        await page.getByLabel('Metadata').fill('no pair')
        await page.getByLabel('Name of header 2').fill('X-Team')
        await page.getByRole('button', { name: 'Create the endpoint' }).click()
        await page.getByText('must have a key and a value on each line').waitFor()
        await page.getByText('must have a value for X-Team').waitFor()
        await page.getByLabel('Metadata').fill('')
        await page.getByLabel('Name of header 2').fill('')
        await page.getByLabel('Value of header 1').fill('secret-of-a-header')
        await page.getByRole('button', { name: 'Create the endpoint' }).click()
        const secret = await page.locator('code.secret').textContent()
        expect(secret).toMatch(/^whsec_/)
        await lookAround(page, 'webhook-created')
        await page.getByRole('link', { name: 'To the endpoint' }).click()
        expect(await page.content()).not.toContain(secret)
        const url = page.url()
        await page.getByRole('link', { name: 'Change …' }).click()
        expect(await page.content()).not.toContain('secret-of-a-header')
        await lookAround(page, 'webhook-change')
        await page.getByLabel('URL').fill('http://')
        await page.getByLabel('URL').evaluate((input) => input.setAttribute('type', 'text'))
        await page.getByLabel('Name of header 2').fill('X-Team')
        await page.getByLabel('Value of header 2').fill('sales')
        await page.getByRole('button', { name: 'Save the changes' }).click()
        await page.getByText('Nothing was changed.').waitFor()
        await page.getByLabel('URL').fill('https://hooks.example.com/in?key=private')
        await page.getByLabel('Value of header 2').fill('sales')
        await page.getByRole('button', { name: 'Save the changes' }).click()
        await page.getByText('The changes are saved.').waitFor()
        const id = url.split('/').at(-1) ?? ''

        const [row] = (await api.database.pool.query('SELECT headers FROM webhook_endpoints WHERE id = $1', [id])).rows
        const headers = openHeaders(api.encryption, { id, headers: row.headers })
        expect(headers).toEqual({ Authorization: 'secret-of-a-header', 'X-Team': 'sales' })

        const { id: importId } = await api.register()
        await api.call('POST /v1/imports/{id}/stop', { id: importId })
        const { data } = (await api.call('GET /v1/deliveries', {}, { query: { endpointId: id } })).body
        await failFor(data[0].id)
        await page.reload()
        await page.getByText('failing for 12 min').waitFor()
        await lookAround(page, 'webhook-failing')
        await page.getByLabel('State').selectOption('exhausted')
        await page.getByRole('button', { name: 'Filter' }).click()
        expect(await page.locator('tbody tr').count()).toBe(1)
        await page.getByLabel('State').selectOption('delivered')
        await page.getByRole('button', { name: 'Filter' }).click()
        await page.getByText('No delivery matches.').waitFor()

        await page.getByRole('link', { name: 'Recover …' }).click()
        await lookAround(page, 'webhook-recover')
        await page.getByLabel('From, UTC').fill('2001-01-01T00:00:00')
        await page.getByLabel('Until, UTC').fill('2001-01-01T00:00:00')
        await page.getByRole('button', { name: 'Count' }).click()
        await page.getByText('must be later than since').waitFor()
        await page.getByRole('link', { name: 'last hour' }).click()
        await page.getByRole('button', { name: 'Send 1 again' }).click()
        await page.getByText('0 of 1 delivery').waitFor()
        await lookAround(page, 'webhook-progress')
        await api.database.pool.query(
          `UPDATE deliveries SET state = 'delivered', next_attempt_at = NULL WHERE id = $1`,
          [data[0].id],
        )
        await page.getByText('1 delivery sent again.').waitFor()
        await page.getByRole('link', { name: 'Recover …' }).click()
        await page.getByText('None failed in this time.').waitFor()
        await page.getByRole('link', { name: 'Back to the endpoint' }).click()
        await page.getByText('New secret …').click()
        await page.getByRole('button', { name: 'Make a new secret' }).click()
        expect(await page.locator('code.secret').textContent()).not.toBe(secret)
        await page.getByRole('link', { name: 'To the endpoint' }).click()
        await page.getByRole('link', { name: 'import.stopped' }).click()
        await page.getByText('http error').waitFor()
        expect(await page.locator('pre').last().textContent()).toContain(importId)
        await lookAround(page, 'delivery')
        const before = api.wakes.deliver
        await page.getByRole('button', { name: 'Deliver once more' }).click()
        await page.waitForURL(`${api.url}/deliveries/*`)
        expect(api.wakes.deliver).toBe(before + 1)

        await page.goto(url)
        await page.getByRole('button', { name: 'Send a test' }).click()
        await page.getByRole('heading', { name: 'webhook.test' }).waitFor()
        await page.goto(url)
        await page.getByText('Disable …').click()
        await page.getByRole('button', { name: 'Disable this endpoint' }).click()
        await page.getByText('by a person').waitFor()
        await page.getByRole('button', { name: 'Enable' }).click()
        await page.getByText('It is tried again at once.').waitFor()
        await page.getByText('Delete …').click()
        await page.getByRole('button', { name: 'Delete this endpoint' }).click()
        await page.getByText('The endpoint is deleted.').waitFor()
        expect((await api.call('GET /v1/webhook-endpoints/{id}', { id })).status).toBe(404)
      },
      { expected: /status of 400/ },
    )
  })

  test('a connection shows its limits and what it used, is tried and resumed', async () => {
    const name = await api.putConnection({
      provider: 'cdq',
      credentials: { apiKey: 'key-that-is-shown-nowhere' },
      baseUrl: 'http://127.0.0.1:9',
      limits: { requestsPerMonth: 1_000 },
    })
    const one = await api.register({ connection: name })
    await api.database.pool.query(
      `UPDATE connections SET paused_at = $1, pause_reason = 'unauthorized' WHERE name = $2`,
      [api.clock.now(), name],
    )
    await withPage(async (page) => {
      await signIn(page, `${api.url}/connections`)
      await page.getByText('credentials refused').waitFor()
      await lookAround(page, 'connections')
      await page.getByRole('link', { name, exact: true }).click()
      await page.getByRole('link', { name: one.jobId }).waitFor()
      expect(await page.locator('dl').first().textContent()).toContain('0 requests, 1,000 left')
      expect(await page.content()).not.toContain('key-that-is-shown-nowhere')
      await page.getByRole('button', { name: 'Try its credentials' }).click()
      await page.getByText('It failed:').waitFor()
      await lookAround(page, 'connection')
      await page.getByRole('button', { name: 'Resume' }).click()
      await page.getByText('It isn’t paused.').waitFor()
    })
  })

  test('what only admins may do is neither shown to others nor done for them', async () => {
    const made = await api.call('POST /v1/webhook-endpoints', {}, { body: { url: 'https://hooks.example.com/x' } })
    const name = await api.putConnection()
    const { token } = (await api.call('POST /v1/tokens', {}, { body: { name: 'writer', scope: 'write' } })).body
    const body = new URLSearchParams({ token })
    const { headers } = await api.send('/login', { method: 'POST', redirect: 'manual', body })
    const as = { cookie: headers.getSetCookie()[0]?.split(';')[0] ?? '', accept: 'text/html' }
    for (const path of ['/webhooks', `/webhooks/${made.body.id}`, `/connections/${name}`]) {
      const { status, body: page } = await api.send(path, { headers: as })
      expect(status, path).toBe(200)
      expect(page, path).not.toMatch(/<form method="post" action="\/(webhooks|connections)/)
    }
    const actions = ['/test', '/recover', '/replay', '/enable', '/disable', '/delete', '/edit', '/rotate-secret'].map(
      (verb) => `/${made.body.id}${verb}`,
    )
    for (const path of ['', ...actions])
      expect((await api.send(`/webhooks${path}`, { method: 'POST', headers: as })).status, path).toBe(403)
    for (const verb of ['test', 'resume'])
      expect((await api.send(`/connections/${name}/${verb}`, { method: 'POST', headers: as })).status, verb).toBe(403)
  })

  /** As attempts leave it: exhausted, and its endpoint in trouble. */
  async function failFor(deliveryId: string): Promise<void> {
    const startedAt = api.clock.now()
    await api.database.db.insert(deliveryAttempts).values({
      deliveryId,
      number: 1,
      manual: false,
      startedAt,
      durationMs: 80,
      outcome: 'http_error',
      status: 500,
      responseSnippet: 'out of <order>',
    })
    await api.database.pool.query(
      `UPDATE deliveries SET state = 'exhausted', attempts = 1, status_class = 5, next_attempt_at = NULL WHERE id = $1`,
      [deliveryId],
    )
    await api.database.pool.query(
      `UPDATE webhook_endpoints SET failing_since = $1::timestamptz - interval '12 min', next_probe_at = $1::timestamptz + interval '40 s', failures = 6`,
      [startedAt],
    )
  }
})
