import { describe, expect, test } from 'vitest'
import { useApi } from '../support/worlds/api.ts'
import { executablePath, hasBrowser, lookAround, signIn, useBrowser } from './browser.ts'

describe.skipIf(!hasBrowser)(`the form of an import in Chromium (${executablePath})`, () => {
  const api = useApi()
  const withPage = useBrowser(api)

  test('registers an import, after saying beside each field what is wrong with it', async () => {
    const connection = await api.putConnection()
    await withPage(
      async (page) => {
        await signIn(page, `${api.url}/imports`)
        await page.getByRole('link', { name: 'Register an import' }).click()
        await page.getByLabel('Connection').selectOption(connection)
        await page.getByLabel('Job id').fill('made-by-form')
        await page.getByLabel('Metadata').fill('team=sales\nno pair')
        await page.getByRole('button', { name: 'Register the import' }).click()
        const metadata = page.getByLabel('Metadata')
        expect(await complaintOf(metadata)).toContain('must have a key and a value on each line')
        expect(await metadata.inputValue()).toBe('team=sales\nno pair')
        await lookAround(page, 'import-new-refused')
        await metadata.fill('team=sales\nrun=42')
        await page.getByLabel('Deadline').fill('soon')
        await page.getByRole('button', { name: 'Register the import' }).click()
        expect(await complaintOf(page.getByLabel('Deadline'))).toContain('must be a span of time')
        await page.getByLabel('Deadline').fill('2 h')
        await page.getByRole('button', { name: 'Register the import' }).click()
        await page.getByText('The import is registered, and tracked from now on.').waitFor()
        const id = new URL(page.url()).pathname.split('/').at(-1) ?? ''
        const { body } = await api.call('GET /v1/imports/{id}', { id })
        expect(body).toMatchObject({ connection, jobId: 'made-by-form', metadata: { team: 'sales', run: '42' } })

        await page.goto(`${api.url}/imports/new?connection=${connection}`)
        await page.getByLabel('Job id').fill('made-by-form')
        await page.getByRole('button', { name: 'Register the import' }).click()
        await page.getByText('This job had been registered before.').waitFor()
        expect(page.url()).toContain(id)
      },
      { expected: /status of 400/ },
    )
  })

  function complaintOf(field: import('playwright-core').Locator): Promise<string> {
    return field.evaluate((element) => {
      const ids: string[] = (element.getAttribute('aria-describedby') ?? '').split(' ')
      return ids.map((id) => element.ownerDocument.getElementById(id)?.textContent ?? '').join(' ')
    })
  }
})
