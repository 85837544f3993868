import type { Locator, Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { useApi } from '../support/worlds/api.ts'
import { executablePath, hasBrowser, lookAround, signIn, useBrowser } from './browser.ts'

const secrets = ['secret-of-the-client', 'another-secret', 'a-token-of-its-own', 'key-that-is-shown-nowhere']

describe.skipIf(!hasBrowser)(`the forms of connections in Chromium (${executablePath})`, () => {
  const api = useApi()
  const withPage = useBrowser(api)

  test('the first start walks through connection, import and endpoint, and can be left', async () => {
    await withPage(async (page) => {
      await signIn(page, `${api.url}/`)
      await page.getByRole('heading', { name: 'First steps' }).waitFor()
      await lookAround(page, 'first-steps')
      await page.getByRole('link', { name: 'Make a connection' }).click()
      await lookAround(page, 'connection-providers')
      await page.getByRole('link', { name: 'cdq', exact: true }).click()
      await page.getByLabel('Name').fill('first')
      await page.getByLabel('Base URL').fill('http://127.0.0.1:9')
      await page.getByLabel('apiKey').fill('key-that-is-shown-nowhere')
      await page.getByRole('button', { name: 'Make the connection' }).click()
      await page.getByText('The connection is made.').waitFor()
      expect(await stepsOn(page)).toEqual(['done', 'next', 'later'])
      await page.getByRole('link', { name: 'Register an import' }).first().click()
      await page.getByLabel('Connection').selectOption('first')
      await page.getByLabel('Job id').fill('the-first')
      await page.getByRole('button', { name: 'Register the import' }).click()
      await page.getByText('The import is registered').waitFor()
      expect(await stepsOn(page)).toEqual(['done', 'done', 'next'])
      await page.getByRole('button', { name: 'Leave the first steps' }).click()
      await page.waitForURL(`${api.url}/`)
      expect(await page.getByRole('heading', { name: 'First steps' }).count()).toBe(0)
      await page.context().clearCookies({ name: 'import_tracker_first_steps' })
      expect(await stepsOn(page)).toEqual(['done', 'done', 'next'])
      const { body } = await api.call('POST /v1/webhook-endpoints', {}, { body: { url: 'https://hooks.example.com' } })
      expect(await stepsOn(page)).toEqual([])
      await api.call('DELETE /v1/webhook-endpoints/{id}', { id: body.id })
    })
  })

  test('a connection with alternatives of credentials is made and changed without giving them again', async () => {
    await withPage(
      async (page) => {
        await signIn(page, `${api.url}/connections/new?provider=auth0`)
        await page.getByLabel('Name').fill('-wrong')
        await page.getByLabel('Base URL').fill('ftp://example.com')
        await page.locator('[name="credentials.0.clientSecret"]').fill('secret-of-the-client')
        await page.getByText('Limits, and what is usual').click()
        await page.getByLabel('Requests a minute').fill('many')
        await page.getByLabel('Give an import up after').fill('later')
        await page.getByLabel('Requests at once').fill('1234567890123456')
        await page.getByLabel('Volatile fields').fill('no pointer')
        await page.getByLabel('Told apart by').fill('a, a')
        await page.getByRole('button', { name: 'Make the connection' }).click()
        await page.getByText('The connection wasn’t made.').waitFor()
        for (const [label, message] of [
          ['Name', 'must be 1 to 100 letters'],
          ['Base URL', 'must use https'],
          ['Requests at once', 'must have at most 15 digits'],
          ['Requests a minute', 'must be a number'],
          ['Give an import up after', 'must be a span of time'],
          ['Volatile fields', 'No. 1 must be a JSON Pointer'],
          ['Told apart by', 'must name each key once'],
        ] as const)
          expect(await complaintOf(page.getByLabel(label)), label).toContain(message)
        expect(await complaintOf(page.locator('[name="credentials.0.clientId"]'))).toContain(
          'must be 1 to 4096 characters',
        )
        expect(await page.getByLabel('Requests a minute').inputValue()).toBe('many')
        await expectNoSecrets(page)
        await lookAround(page, 'connection-refused')

        await page.getByLabel('Requests a minute').fill('30')
        await page.getByLabel('Give an import up after').fill('3 d')
        await page.getByLabel('Requests at once').fill('')
        await page.getByLabel('Ask an import at most every').fill('2 h')
        await page.getByLabel('Ask an import at least every').fill('1 min')
        await page.getByLabel('Volatile fields').fill('/updated_at')
        await page.getByLabel('Told apart by').fill('team, kind')
        await page.locator('[name="credentials.0.clientId"]').fill('the-client')
        await page.locator('[name="credentials.0.clientSecret"]').fill('secret-of-the-client')
        await page.getByRole('button', { name: 'Make the connection' }).click()
        expect(await complaintOf(page.getByLabel('Ask an import at most every'))).toContain(
          'must not be longer than “Ask an import at least every”, which is 1 min',
        )
        await page.getByLabel('Ask an import at most every').fill('')
        await page.getByLabel('Ask an import at least every').fill('')
        await page.getByLabel('Name').fill('users')
        await page.getByLabel('Base URL').fill('http://127.0.0.1:9/api')
        await page.locator('[name="credentials.0.clientId"]').fill('the-client')
        await page.locator('[name="credentials.0.clientSecret"]').fill('secret-of-the-client')
        await page.getByRole('button', { name: 'Make the connection' }).click()
        await page.getByText('The connection is made.').waitFor()
        expect(await stored('users')).toEqual({ clientId: 'the-client', clientSecret: 'secret-of-the-client' })
        expect((await api.call('GET /v1/connections/{name}', { name: 'users' })).body).toMatchObject({
          limits: { requestsPerMinute: 30, deadlineMs: 3 * 86_400_000 },
          volatileFields: ['/updated_at'],
          baselineBy: ['team', 'kind'],
          baseUrl: 'http://127.0.0.1:9/api',
        })

        await page.getByRole('link', { name: 'Change …' }).click()
        await expectNoSecrets(page)
        expect(await page.locator('[name="credentials.0.clientSecret"]').getAttribute('placeholder')).toContain(
          'stored',
        )
        await lookAround(page, 'connection-change')
        await page.getByLabel('Requests a minute').fill('')
        await page.locator('[name="credentials.0.clientSecret"]').fill('another-secret')
        await page.getByRole('button', { name: 'Save the changes' }).click()
        await page.getByText('The changes are saved.').waitFor()
        expect(await stored('users')).toEqual({ clientId: 'the-client', clientSecret: 'another-secret' })
        expect((await api.call('GET /v1/connections/{name}', { name: 'users' })).body.limits).toEqual({
          deadlineMs: 3 * 86_400_000,
        })
        await page.getByRole('link', { name: 'Change …' }).click()
        await page.getByRole('button', { name: 'Save the changes' }).click()
        await page.getByText('The changes are saved.').waitFor()
        expect(await stored('users')).toEqual({ clientId: 'the-client', clientSecret: 'another-secret' })

        await page.getByRole('link', { name: 'Change …' }).click()
        await page.locator('[name=credentialsAs][value="1"]').check()
        await page.getByRole('button', { name: 'Save the changes' }).click()
        await page.getByText('Nothing was changed.').waitFor()
        await page.locator('input[name="credentials.1.accessToken"]').fill('a-token-of-its-own')
        await page.getByRole('button', { name: 'Save the changes' }).click()
        await page.getByText('The changes are saved.').waitFor()
        expect(await stored('users')).toEqual({ accessToken: 'a-token-of-its-own' })

        await page.getByRole('button', { name: 'Try its credentials' }).click()
        await page.getByText('It failed:').waitFor()
        await expectNoSecrets(page)

        const { id } = await api.register({ connection: 'users', jobId: 'live' })
        await page.getByRole('link', { name: 'Delete …' }).click()
        await page.getByText('has 1 import.').waitFor()
        await page.getByRole('button', { name: 'Delete this connection' }).click()
        await page.getByText('stop them first').waitFor()
        await lookAround(page, 'connection-delete')
        await api.call('POST /v1/imports/{id}/stop', { id })
        await page.getByRole('button', { name: 'Delete this connection' }).click()
        await page.getByText('The connection is deleted.').waitFor()
        expect((await api.call('GET /v1/connections/{name}', { name: 'users' })).status).toBe(404)
        expect(api.logLines.filter((line) => secrets.some((secret) => line.includes(secret)))).toEqual([])
      },
      { expected: /status of 4(00|09)/ },
    )
  })

  test('what only admins may do is refused to others, and to other sites', async () => {
    const name = await api.putConnection()
    for (const scope of ['read', 'write'] as const) {
      const cookie = await sessionOf(scope)
      const as = { cookie, accept: 'text/html' }
      for (const path of ['/connections', `/connections/${name}`]) {
        const { body } = await api.send(path, { headers: as })
        expect(body, path).not.toMatch(/New connection|Change …|Delete …|Try its/)
      }
      for (const path of ['/connections/new', `/connections/${name}/edit`, `/connections/${name}/delete`])
        expect((await api.send(path, { headers: as })).status, path).toBe(403)
      for (const path of ['/connections', `/connections/${name}/edit`, `/connections/${name}/delete`])
        expect((await api.send(path, { method: 'POST', headers: as })).status, path).toBe(403)
    }
    const reader = { cookie: await sessionOf('read'), accept: 'text/html' }
    expect((await api.send('/imports', { headers: reader })).body).not.toContain('Register an import')
    expect((await api.send('/imports/new', { headers: reader })).status).toBe(403)
    expect((await api.send('/imports', { method: 'POST', headers: reader })).status).toBe(403)
    const elsewhere = { cookie: await sessionOf('admin'), origin: 'https://evil.example', accept: 'text/html' }
    for (const path of ['/imports', '/connections', `/connections/${name}/edit`, '/first-steps/leave'])
      expect((await api.send(path, { method: 'POST', headers: elsewhere })).status, path).toBe(403)
    expect((await api.call('GET /v1/connections/{name}', { name })).status).toBe(200)
  })

  async function stepsOn(page: Page): Promise<string[]> {
    await page.goto(`${api.url}/`)
    return (await page.locator('.first-steps li > .badge').allTextContents()).map(
      (text) => text.split(' ').at(-1) ?? '',
    )
  }

  async function stored(name: string): Promise<unknown> {
    const { id, credentials } = await api.connectionNamed(name)
    return JSON.parse(api.encryption.decrypt(credentials, `connection:${id}`))
  }

  async function expectNoSecrets(page: Page): Promise<void> {
    const shown = `${page.url()} ${await page.content()}`
    for (const secret of secrets) expect(shown).not.toContain(secret)
  }

  function complaintOf(field: Locator): Promise<string> {
    return field.evaluate((element) => {
      const ids: string[] = (element.getAttribute('aria-describedby') ?? '').split(' ')
      return ids.map((id) => element.ownerDocument.getElementById(id)?.textContent ?? '').join(' ')
    })
  }

  async function sessionOf(scope: 'read' | 'write' | 'admin'): Promise<string> {
    const { body } = await api.call('POST /v1/tokens', {}, { body: { name: `a ${scope}er`, scope } })
    const form = new URLSearchParams({ token: body.token })
    const { headers } = await api.send('/login', { method: 'POST', redirect: 'manual', body: form })
    return headers.getSetCookie()[0]?.split(';')[0] ?? ''
  }
})
