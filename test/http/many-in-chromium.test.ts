import { describe, expect, test } from 'vitest'
import { describeEachStore } from '../support/stores.ts'
import { useApi } from '../support/worlds/api.ts'
import { adminToken, unique } from '../support/worlds/ground.ts'
import { executablePath, hasBrowser, lookAround, signIn, useBrowser } from './browser.ts'

describe.skipIf(!hasBrowser)(`doing it to many in Chromium (${executablePath})`, () => {
  const api = useApi()
  const withPage = useBrowser(api)

  const statesOf = async (connection: string) => {
    const { body } = await api.call('GET /v1/imports', {}, { query: { connection, order: 'oldest', limit: 1_000 } })
    return body.data.map(({ state }: { state: string }) => state)
  }
  async function importsOf(count: number): Promise<string> {
    const connection = await api.putConnection()
    const prefix = unique('many')
    for (let from = 0; from < count; from += 1_000) {
      const size = Math.min(1_000, count - from)
      const imports = Array.from({ length: size }, (_none, index) => ({
        connection,
        jobId: `${prefix}-${from + index}`,
      }))
      await api.call('POST /v1/imports/batch', {}, { body: { imports } })
    }
    return connection
  }

  test('rows are selected by shift, confirmed with their count, and done; the import and the API say by whom', async () => {
    const connection = await importsOf(5)
    await withPage(async (page) => {
      await signIn(page, `${api.url}/imports?connection=${connection}&order=oldest`)
      const boxes = page.locator('input[name=ids]')
      await boxes.nth(1).click()
      await boxes.nth(3).click({ modifiers: ['Shift'] })
      await page.getByText('3 selected').waitFor()
      await lookAround(page, 'imports-selected')
      await page.getByRole('button', { name: 'Stop …' }).click()
      await page.getByRole('heading', { name: 'Stop 3 imports?' }).waitFor()
      expect(await statesOf(connection)).toEqual(Array(5).fill('pending'))
      await lookAround(page, 'many-confirm')
      await page.getByRole('button', { name: 'Stop 3 imports' }).click()
      await page.waitForURL(/\/actions\//)
      await page.getByText('3 done, 0 skipped').waitFor()
      expect(await statesOf(connection)).toEqual(['pending', 'stopped', 'stopped', 'stopped', 'pending'])
      await lookAround(page, 'many-done')
      await page.locator('tbody a').first().click()
      const timeline = page.locator('section', { has: page.getByRole('heading', { name: 'Timeline' }) })
      expect(await timeline.textContent()).toContain('Stopped by bootstrap')
      await lookAround(page, 'import-timeline-actions')
      await page.getByRole('link', { name: 'with all 3 of one action' }).click()
      await page.getByText('3 done, 0 skipped').waitFor()
    })
    const { body } = await api.call('GET /v1/actions', {}, { query: { verb: 'import.stop', limit: 1 } })
    expect(body.data).toMatchObject([{ by: { name: 'bootstrap' }, details: { filter: { ids: 3 }, done: 3 } }])
  })

  test('the box of the page selects all of it, and those that it isn’t for are skipped with the reason', async () => {
    const connection = await importsOf(3)
    const { body } = await api.call('GET /v1/imports', {}, { query: { connection } })
    await api.call('POST /v1/imports/{id}/stop', { id: body.data[0].id })
    await withPage(async (page) => {
      await signIn(page, `${api.url}/imports?connection=${connection}`)
      await page.getByLabel('All on this page').check()
      await page.getByText('3 selected').waitFor()
      await page.getByRole('button', { name: 'Poll now …' }).click()
      await page.getByRole('heading', { name: 'Poll 2 imports now?' }).waitFor()
      expect(await page.locator('main').textContent()).toContain('1 import skipped. They are over: 1 stopped.')
      await page.getByRole('link', { name: 'Back to the list' }).click()
      expect(page.url()).toBe(`${api.url}/imports?connection=${connection}`)
      await page.getByRole('button', { name: 'Resume …' }).click()
      await page.getByRole('heading', { name: 'Nothing is selected' }).waitFor()
    })
  })

  test('who stops what somebody else has stopped meanwhile is told why it was skipped', async () => {
    const connection = await importsOf(2)
    const { body } = await api.call('GET /v1/imports', {}, { query: { connection } })
    await withPage(async (page) => {
      await signIn(page, `${api.url}/imports?connection=${connection}`)
      await page.getByLabel('All on this page').check()
      await page.getByRole('button', { name: 'Stop …' }).click()
      await page.getByRole('heading', { name: 'Stop 2 imports?' }).waitFor()
      await api.call('POST /v1/imports/{id}/stop', { id: body.data[0].id })
      await page.getByRole('button', { name: 'Stop 2 imports' }).click()
      await page.getByText('1 done, 1 skipped').waitFor()
      await page.getByText('The skipped ones were over by then.').waitFor()
    })
  })

  test('all that match are done a thousand at a time by themselves, however many', async () => {
    const connection = await importsOf(2_110)
    await withPage(async (page) => {
      await signIn(page, `${api.url}/imports?connection=${connection}`)
      await page.getByLabel('All 2,110 that match').check()
      await page.getByRole('button', { name: 'Stop …' }).click()
      expect(await page.locator('main').textContent()).toContain(`connection ${connection}`)
      await page.getByRole('button', { name: 'Stop 2,110 imports' }).click()
      await page.getByText('2,110 done, 0 skipped').waitFor()
      await page.getByText('50 of 2,110 imports').waitFor()
      const card = page.getByRole('region', { name: 'What came of it' })
      expect(await card.textContent()).toMatch(
        new RegExp(`connection ${connection}, registered before \\d{4}-\\d\\d-\\d\\d `),
      )
      await page.getByRole('link', { name: 'what matches now' }).click()
      await page.getByLabel('All 2,110 that match').waitFor()
      expect(await page.getByRole('button', { name: 'Go on' }).count()).toBe(0)
    })
    expect(new Set(await statesOf(connection))).toEqual(new Set(['stopped']))
  })

  test('it works without scripts: what is left goes on by a button, after a reload, too', async () => {
    const connection = await importsOf(1_060)
    await withPage(
      async (page) => {
        await signIn(page, `${api.url}/imports?connection=${connection}`)
        expect(await page.getByLabel('All on this page').isVisible()).toBe(false)
        await page.getByLabel('All 1,060 that match').check()
        await page.getByRole('button', { name: 'Stop …' }).click()
        await page.getByRole('button', { name: 'Stop 1,060 imports' }).click()
        await page.getByText('1,000 done, 0 skipped of 1,060').waitFor()
        await lookAround(page, 'many-under-way')
        await page.reload()
        await page.getByRole('button', { name: 'Go on' }).click()
        await page.getByText('1,060 done, 0 skipped').waitFor()
      },
      { javaScriptEnabled: false },
    )
    expect(new Set(await statesOf(connection))).toEqual(new Set(['stopped']))
  })

  test('changes of a connection and an endpoint are on their pages', async () => {
    const connection = await api.putConnection()
    await api.call('PATCH /v1/connections/{name}', { name: connection }, { body: { limits: { maxInFlight: 2 } } })
    const { body: endpoint } = await api.call(
      'POST /v1/webhook-endpoints',
      {},
      { body: { url: 'https://hooks.example.com/in' } },
    )
    await withPage(async (page) => {
      const changes = page.locator('section', { has: page.getByRole('heading', { name: 'Changes' }) })
      await signIn(page, `${api.url}/connections/${connection}`)
      expect(await changes.textContent()).toMatch(/Changed by bootstrap.*limits\.maxInFlight.*Created by bootstrap/s)
      await lookAround(page, 'connection-changes')
      await page.goto(`${api.url}/webhooks/${endpoint.id}`)
      await page.getByRole('button', { name: 'Send a test' }).click()
      await page.goto(`${api.url}/webhooks/${endpoint.id}`)
      expect(await changes.textContent()).toMatch(/Test sent by bootstrap.*Created by bootstrap/s)
      await lookAround(page, 'endpoint-changes')
    })
  })
})

describe('what a scope may not use', () => {
  const api = useApi()

  test('isn’t shown to it, and is refused', async () => {
    const { body } = await api.call('POST /v1/tokens', {}, { body: { name: 'reader', scope: 'read' } })
    const headers = { authorization: `Bearer ${body.token}` }
    const one = await api.register()
    const list = await api.send('/imports', { headers: { ...headers, accept: 'text/html' } })
    expect(list.body).toContain(one.jobId)
    expect(list.body).not.toContain('name="ids"')
    for (const path of ['/imports/actions', '/imports/actions/confirm']) {
      const form = new URLSearchParams({ action: 'stop', ids: one.id, filter: JSON.stringify({ ids: [one.id] }) })
      expect((await api.send(path, { method: 'POST', headers, body: form })).status).toBe(403)
    }
  })
})

describeEachStore('an action on many', (store) => {
  const api = useApi({}, store)

  test('makes what it polls due, and wakes the work once', async () => {
    const some = [await api.register(), await api.register()]
    await api.sql(`UPDATE polling SET due_at = due_at + interval '1 hour'`)
    const before = api.wakes.poll
    const headers = { authorization: `Bearer ${adminToken}`, 'sec-fetch-site': 'same-origin' }
    const form = new URLSearchParams({ action: 'poll', filter: JSON.stringify({ ids: some.map(({ id }) => id) }) })
    const answer = await api.send('/imports/actions', { method: 'POST', headers, body: form, redirect: 'manual' })
    expect(answer.status).toBe(303)
    expect(answer.headers.get('location')).toMatch(/^\/actions\//)
    expect(api.wakes.poll).toBe(before + 1)
    const [late] = await api.sql('SELECT count(*)::int FROM polling WHERE due_at > $1', [api.clock.now()])
    expect(late).toEqual({ count: 0 })
  })
})
