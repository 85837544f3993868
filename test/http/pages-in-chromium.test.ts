import { describe, expect, test } from 'vitest'
import { describeEachStore } from '../support/stores.ts'
import { useApi } from '../support/worlds/api.ts'
import { executablePath, hasBrowser, lookAround, picture, signIn, useBrowser } from './browser.ts'

describe.skipIf(!hasBrowser)(`in Chromium (${executablePath})`, () => {
  describe('our own pages', () => {
    const api = useApi()
    const withPage = useBrowser(api)

    test('show what is tracked after signing in; signing out ends it', async () => {
      const connection = await api.putConnection()
      await api.register({ connection, jobId: 'just-registered' })
      const columns = { progress: 0.42, rowsTotal: 10_000, rowsProcessed: 4_200, rowsFailed: 3, polls: 12 }
      await api.import({ jobId: 'half-way', state: 'running', ...columns })
      await api.import({ jobId: 'gone', state: 'lost', lostReason: 'expired' })
      await api.import({ jobId: 'odd', state: 'running', attention: 'unmapped_status' })
      await api.import({ jobId: 'done', state: 'succeeded', progress: 1, rowsTotal: 500, rowsProcessed: 500 })
      await withPage(async (page) => {
        await page.goto(`${api.url}/login`)
        await picture(page, 'login')
        await signIn(page, `${api.url}/`)
        await page.getByText('half-way').waitFor()
        expect(await page.locator('tr', { hasText: 'half-way' }).textContent()).toContain('4,200 / 10,000')
        await page.getByText('1 import with a status that nobody has mapped.').waitFor()
        await lookAround(page, 'dashboard')
        await page.getByRole('link', { name: 'Look at the answers' }).click()
        expect(await page.locator('tbody code').allTextContents()).toEqual(['odd'])
        await page.goBack()
        await page.getByRole('button', { name: 'Sign out' }).click()
        await page.waitForURL(`${api.url}/login`)
        await page.goto(api.url)
        await page.getByLabel('API token').waitFor()
      })
    })

    test('are the API’s documentation, with nothing from anywhere else', async () => {
      await withPage(async (page) => {
        await page.goto(`${api.url}/docs`)
        await page.getByRole('heading', { name: 'Import Tracker' }).first().waitFor()
        await page.getByText('Register an import').first().waitFor()
        await picture(page, 'docs')
        await page.getByRole('link', { name: '← Import Tracker' }).click()
        await page.getByLabel('API token').waitFor()
      })
    })
  })

  describeEachStore('Bull Board', (store) => {
    const api = useApi({}, store)
    const withPage = useBrowser(api)

    test('shows the queues and their jobs', async () => {
      await api.queues.all.poll.add('poll', { importId: 'shown-on-the-board' }, { jobId: 'imp-1a' })
      await withPage(async (page) => {
        await signIn(page, `${api.url}/queues`)
        await page.getByRole('link', { name: 'poll' }).first().click()
        await page.getByText('imp-1a').first().waitFor()
        await picture(page, `queues-${store.name}`)
        await page.getByRole('link', { name: '← Import Tracker' }).click()
        await page.waitForURL(`${api.url}/`)
      })
    })
  })
})
