import { describe, expect, onTestFinished, test } from 'vitest'
import { useApi } from '../support/worlds/api.ts'
import { unique } from '../support/worlds/ground.ts'
import { executablePath, hasBrowser, signIn, useBrowser } from './browser.ts'

describe.skipIf(!hasBrowser)(`without scripts, in Chromium (${executablePath})`, () => {
  const api = useApi()
  const withBrowser = useBrowser(api)
  const withPage = (run: Parameters<typeof withBrowser>[0], expected = /400|404/) =>
    withBrowser(run, { javaScriptEnabled: false, expected })

  test('the first steps lead to a connection, an import and an endpoint', async () => {
    await withPage(async (page) => {
      await signIn(page, `${api.url}/`)
      await page.getByRole('link', { name: 'Make a connection' }).click()
      await page.getByRole('link', { name: 'cdq', exact: true }).click()
      await page.getByLabel('Name').fill('-wrong')
      await page.getByLabel('apiKey').fill('some-key')
      await page.getByRole('button', { name: 'Make the connection' }).click()
      await page.getByText('The connection wasn’t made.').waitFor()
      await page.getByLabel('Name').fill('by-hand')
      await page.getByLabel('Base URL').fill('http://127.0.0.1:9')
      await page.getByLabel('apiKey').fill('some-key')
      await page.getByRole('button', { name: 'Make the connection' }).click()
      await page.getByText('The connection is made.').waitFor()
      await page.getByRole('link', { name: 'Overview', exact: true }).click()
      await page.getByRole('link', { name: 'Register an import' }).first().click()
      await page.getByLabel('Connection').selectOption('by-hand')
      await page.getByLabel('Job id').fill('by-hand-1')
      await page.getByRole('button', { name: 'Register the import' }).click()
      await page.getByText('The import is registered').waitFor()
      await page.getByRole('link', { name: 'Webhooks', exact: true }).click()
      await page.getByLabel('URL').fill('https://hooks.example.com/in')
      await page.getByRole('button', { name: 'Create the endpoint' }).click()
      expect(await page.locator('code.secret').textContent()).toMatch(/^whsec_/)
      await page.getByRole('link', { name: 'To the endpoint' }).click()
      await page.getByRole('button', { name: 'Send a test' }).click()
      await page.getByRole('heading', { name: 'webhook.test' }).waitFor()
      await page.getByRole('link', { name: 'Look again' }).click()
      await page.getByRole('heading', { name: 'webhook.test' }).waitFor()
    })
    expect((await api.call('GET /v1/connections/{name}', { name: 'by-hand' })).body.baseUrl).toBe('http://127.0.0.1:9')
  })

  test('imports are found, gone through by pages, polled, stopped and resumed', async () => {
    const own = unique('found')
    for (let index = 0; index < 52; index++) await api.import({ jobId: `${own}-${index}`, state: 'running' })
    const { id } = await api.register({ jobId: `${own}-one`, metadata: { team: 'sales' } })
    await withPage(async (page) => {
      await signIn(page, `${api.url}/imports`)
      await page.getByLabel('Job id begins with').fill(own)
      await page.getByRole('button', { name: 'Filter' }).click()
      expect(await page.locator('tbody tr').count()).toBe(50)
      await page.getByRole('link', { name: 'Next page' }).click()
      expect(await page.locator('tbody tr').count()).toBe(3)
      await page.getByRole('link', { name: 'First page' }).click()
      expect(await page.locator('tbody tr').count()).toBe(50)
      await page.getByText('More filters').click()
      await page.getByLabel('Metadata').fill('team=sales')
      await page.getByRole('button', { name: 'Filter' }).click()
      expect(await page.locator('tbody code').allTextContents()).toEqual([`${own}-one`])
      await page.getByRole('link', { name: `${own}-one` }).click()
      const before = api.wakes.poll
      await page.getByRole('button', { name: 'Poll now' }).click()
      await page.waitForURL(`${api.url}/imports/${id}*`)
      expect(api.wakes.poll).toBe(before + 1)
      await page.getByRole('button', { name: 'Stop', exact: true }).click()
      await page.locator('.badge.stopped').first().waitFor()
      await page.getByRole('button', { name: 'Resume' }).click()
      await page.locator('.badge.pending').first().waitFor()
      await page.getByRole('button', { name: 'Stop', exact: true }).click()
      await page.getByText('Delete …').click()
      await page.getByRole('button', { name: 'Delete this import' }).click()
      await page.waitForURL(/\/imports(\?|$)/)
    })
    expect((await api.call('GET /v1/imports/{id}', { id })).status).toBe(404)
  })

  test('many are selected one by one, confirmed with their count, and done', async () => {
    const own = unique('many')
    for (const name of ['a', 'b', 'c']) await api.import({ jobId: `${own}-${name}`, state: 'running' })
    await withPage(async (page) => {
      await signIn(page, `${api.url}/imports?jobIdPrefix=${own}`)
      const boxes = page.locator('input[name=ids]')
      await boxes.nth(0).check()
      await boxes.nth(2).check()
      await page.getByRole('button', { name: 'Stop …' }).click()
      await page.getByRole('button', { name: 'Stop 2 imports' }).click()
      await page.getByText('2 done, 0 skipped').waitFor()
      await page.goto(`${api.url}/imports?jobIdPrefix=${own}&state=stopped`)
      expect(await page.locator('tbody tr').count()).toBe(2)
    })
  })

  test('an endpoint is changed, replayed to, disabled and deleted; a connection is changed, tried and deleted', async () => {
    const name = await api.putConnection({
      provider: 'cdq',
      credentials: { apiKey: 'k' },
      baseUrl: 'http://127.0.0.1:9',
    })
    const hook = { url: 'https://hooks.example.com/changed' }
    const { body: endpoint } = await api.call('POST /v1/webhook-endpoints', {}, { body: hook })
    onTestFinished(async () => void (await api.call('DELETE /v1/webhook-endpoints/{id}', { id: endpoint.id })))
    await withPage(async (page) => {
      await signIn(page, `${api.url}/webhooks/${endpoint.id}`)
      await page.getByRole('link', { name: 'Change …' }).click()
      await page.getByText('Only some imports').click()
      await page.getByLabel('Connections').fill(name)
      await page.getByRole('button', { name: 'Save the changes' }).click()
      await page.getByText('The changes are saved.').waitFor()
      await page.getByRole('link', { name: 'Replay …' }).click()
      await page.getByRole('button', { name: 'Count' }).click()
      await page.getByText('It missed none in this time.').waitFor()
      await page.getByRole('link', { name: 'Back to the endpoint' }).click()
      await page.getByText('Disable …').click()
      await page.getByRole('button', { name: 'Disable this endpoint' }).click()
      await page.getByText('Nothing is sent to it any more.').first().waitFor()
      await page.getByText('Delete …').click()
      await page.getByRole('button', { name: 'Delete this endpoint' }).click()
      await page.waitForURL(/\/webhooks(\?|$)/)

      await page.goto(`${api.url}/connections/${name}`)
      await page.getByRole('link', { name: 'Change …' }).click()
      await page.getByText('Limits, and what is usual').click()
      await page.getByLabel('Requests a minute').fill('30')
      await page.getByRole('button', { name: 'Save the changes' }).click()
      await page.getByText('The changes are saved.').waitFor()
      await page.getByRole('button', { name: 'Try its credentials' }).click()
      await page.getByText('It failed:').waitFor()
      await page.getByRole('link', { name: 'Delete …' }).click()
      await page.getByRole('button', { name: 'Delete this connection' }).click()
      await page.waitForURL(/\/connections(\?|$)/)
    })
    expect((await api.call('GET /v1/connections/{name}', { name })).status).toBe(404)
  })

  test('colours and times are chosen, and signing out ends it', async () => {
    await withPage(async (page) => {
      await signIn(page, `${api.url}/imports`)
      for (const name of ['dark', 'light', 'system', 'local', 'UTC']) {
        await page.getByRole('button', { name, exact: true }).click()
        await page.getByRole('button', { name, exact: true, pressed: true }).waitFor()
        expect(page.url()).toBe(`${api.url}/imports`)
      }
      await page.getByRole('button', { name: 'Sign out' }).click()
      await page.waitForURL(`${api.url}/login`)
    })
  })
})
