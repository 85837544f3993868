import { readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { newId } from '../../src/base/ids.ts'
import { deliveryAttempts, snapshots } from '../../src/db/schema/index.ts'
import { useApi } from '../support/worlds/api.ts'
import { adminToken, unique } from '../support/worlds/ground.ts'
import { executablePath, hasBrowser, lookAround, signIn, useBrowser } from './browser.ts'

describe.skipIf(!hasBrowser)(`the pages of imports in Chromium (${executablePath})`, () => {
  const api = useApi()
  const withPage = useBrowser(api)

  test('the list filters by its form, and its query is that of the API', async () => {
    const connection = await api.putConnection()
    const own = unique('list')
    for (const index of [1, 2, 3])
      await api.register({ connection, jobId: `${own}-${index}`, metadata: { run: index, team: 'sales' } })
    const ended = { state: 'partial', progress: 1, rowsTotal: 10_000, rowsProcessed: 10_000, rowsFailed: 0 }
    await api.import({ ...ended, jobId: `${own}-over`, finishedAt: api.clock.now(), skippedLines: 2_500 })
    await api.import({ jobId: `${own}-lost`, state: 'lost', lostReason: 'not_found' })
    await api.import({ jobId: `${own}-runs`, state: 'running', progress: 0.42, attention: 'stalled' })
    await withPage(async (page) => {
      await signIn(page, `${api.url}/imports`)
      await lookAround(page, 'imports')
      await page.getByLabel('Job id begins with').fill(own)
      await page.getByLabel('pending').check()
      await page.getByLabel('partial').check()
      await page.getByText('More filters').click()
      await page.getByLabel('Metadata').fill('run=2, team=sales')
      await page.getByRole('button', { name: 'Filter' }).click()
      await page.waitForURL(`${api.url}/imports?*metadata.run=2*`)
      const query = Object.fromEntries(new URL(page.url()).searchParams)
      expect(query).toEqual({
        jobIdPrefix: own,
        state: 'pending,partial',
        'metadata.run': '2',
        'metadata.team': 'sales',
      })
      expect(await page.locator('tbody tr').count()).toBe(1)
      const { body } = await api.call('GET /v1/imports', {}, { query })
      expect(body.data.map((one: { jobId: string }) => one.jobId)).toEqual([`${own}-2`])
      await lookAround(page, 'imports-filtered')

      await page.getByRole('link', { name: 'Clear', exact: true }).click()
      await page.getByRole('link', { name: /partial/ }).click()
      expect(page.url()).toBe(`${api.url}/imports?state=partial`)
      expect(await page.locator('tr', { hasText: `${own}-over` }).textContent()).toContain('2,500')

      await page.goto(`${api.url}/imports?jobIdPrefix=nobody-has-this`)
      await page.getByRole('link', { name: 'Clear the filter' }).click()
      expect(page.url()).toBe(`${api.url}/imports`)
    })
  })

  test('what a link asks for stays as it is when the form sends it again', async () => {
    const own = unique('again')
    const metadata = { 'sold, to': 'Rome, Paris', 'a=b': ' "x" ', lines: 'one\ntwo', none: '' }
    const { id } = await api.register({ jobId: own, metadata })
    await api.register({ jobId: `${own}-other`, metadata: { ...metadata, 'sold, to': 'Rome' } })
    const moments = { registeredAfter: '2020-01-31T14:00:00.125+02:00', registeredBefore: '9000-01-01T00:00:00Z' }
    const query = new URLSearchParams({ jobId: own, ...moments })
    for (const [key, value] of Object.entries(metadata)) query.set(`metadata.${key}`, value)
    await withPage(async (page) => {
      await signIn(page, `${api.url}/imports/${id}`)
      await page.goto(`${api.url}/imports?${query}`)
      await page.waitForURL('**/imports?jobId=*') // the names in order
      await page.getByRole('button', { name: 'Filter' }).click()
      await page.waitForURL((url) => url.searchParams.get('registeredAfter') === '2020-01-31T12:00:00.125Z')
      const asked = Object.fromEntries(new URL(page.url()).searchParams)
      expect(asked).toEqual({
        ...Object.fromEntries(query),
        registeredAfter: '2020-01-31T12:00:00.125Z',
        registeredBefore: '9000-01-01T00:00:00Z',
      })
      expect(await page.locator('tbody tr').count()).toBe(1)
    })
  })

  test('what failed yesterday is two clicks away, and what folded filters say is seen', async () => {
    const own = unique('yesterday')
    const midnight = new Date(api.clock.now())
    midnight.setUTCHours(0, 0, 0, 0)
    const [before, today] = [new Date(midnight.getTime() - 60_000), midnight]
    const ended = { state: 'failed', registeredAt: new Date(midnight.getTime() - 7_200_000) }
    await api.import({ ...ended, jobId: `${own}-yes`, finishedAt: before })
    await api.import({ ...ended, jobId: `${own}-no`, finishedAt: today })
    await withPage(async (page) => {
      await signIn(page, `${api.url}/imports?jobIdPrefix=${own}&state=failed`)
      await page.getByText('More filters').click()
      await page.locator('fieldset', { hasText: 'Ended' }).getByRole('link', { name: 'yesterday' }).click()
      await page.getByText(`${own}-no`).waitFor({ state: 'detached' })
      expect(await page.locator('tbody tr').allTextContents()).toEqual([expect.stringContaining(`${own}-yes`)])
      expect(await page.getByLabel('Job id, exactly').isVisible()).toBe(false)
      const day = (moment: Date) => moment.toISOString().slice(0, 10)
      expect(await page.locator('summary', { hasText: 'More filters' }).textContent()).toBe(
        `More filters ended from ${day(before)} 00:00:00 UTC, ended before ${day(today)} 00:00:00 UTC`,
      )
      await lookAround(page, 'imports-yesterday')
    })
  })

  test('an import of a paused connection says what it waits for, and promises no end', async () => {
    const paused = { pausedAt: api.clock.now(), pauseReason: 'unauthorized' } as const
    const { id: connectionId, name } = await api.connection(paused)
    const { id } = await api.import({ connectionId, state: 'running', progress: 0.5, nextPollAt: api.clock.now() })
    await withPage(async (page) => {
      await signIn(page, `${api.url}/imports/${id}`)
      const card = page.getByRole('region', { name: 'What is known' })
      expect(await card.textContent()).toContain(
        `Waiting: its connection ${name} is paused now, because the provider refuses its credentials (401).`,
      )
      expect(await card.textContent()).toContain('once its connection is asked again')
      expect(await card.textContent()).not.toContain('ends in')
      await lookAround(page, 'import-paused')
    })
  })

  test('the list goes through its pages, while imports are added', async () => {
    const own = unique('paged')
    for (let index = 0; index < 55; index++) await api.import({ jobId: `${own}-${index}` })
    await withPage(async (page) => {
      await signIn(page, `${api.url}/imports?jobIdPrefix=${own}`)
      const first = await page.locator('tbody code').allTextContents()
      await api.import({ jobId: `${own}-new` })
      await page.getByRole('link', { name: 'Next page' }).click()
      await page.getByRole('link', { name: 'First page' }).waitFor()
      const second = await page.locator('tbody code').allTextContents()
      expect(first).toHaveLength(50)
      expect(second).toEqual([4, 3, 2, 1, 0].map((index) => `${own}-${index}`))
    })
  })

  test('an import shows what is known of it, and can be steered', async () => {
    const { body: endpoint } = await api.call(
      'POST /v1/webhook-endpoints',
      {},
      { body: { url: 'https://hooks.example.com/in?key=private', types: ['import.stopped', 'import.resumed'] } },
    )
    const one = await api.register({ metadata: { team: 'sales', run: 42, nested: { a: [1] } } })
    await aTimeline(one.id)
    await page404()
    await withPage(async (page) => {
      await signIn(page, `${api.url}/imports/${one.id}`)
      await page.getByRole('button', { name: 'Copy' }).click()
      await page.getByRole('button', { name: 'Copied' }).waitFor()
      await page.getByRole('button', { name: 'Stop' }).click()
      await page.getByRole('status').waitFor()
      const { data } = (await api.call('GET /v1/deliveries', {}, { query: { importId: one.id } })).body
      expect(data).toMatchObject([{ endpointId: endpoint.id, type: 'import.stopped' }])
      await api.database.db.insert(deliveryAttempts).values({
        deliveryId: data[0].id,
        number: 1,
        manual: false,
        startedAt: api.clock.now(),
        durationMs: 120,
        outcome: 'http_error',
        status: 503,
      })
      await page.reload()
      await page.getByText('http error').waitFor()
      const events = page.locator('section', { has: page.getByRole('heading', { name: 'Events' }) })
      expect(await events.textContent()).toContain('https://hooks.example.com/in')
      expect(await page.content()).not.toContain('key=private')
      expect(await page.getByText('The import is over (stopped).').count()).toBe(2)
      await page.getByRole('button', { name: 'Resume' }).click()
      await page.getByText('The import is tracked again.').waitFor()
      await page.getByRole('button', { name: 'Poll now' }).click()
      await page.getByText('The next poll is due now.').waitFor()
      await page.getByText('progress 20 % → 60 %').waitFor()
      await lookAround(page, 'import-live')

      await page.getByText('Delete …').click()
      await page.getByRole('button', { name: 'Delete this import' }).click()
      await page.waitForURL(/\/imports(\?|$)/)
      expect((await api.call('GET /v1/imports/{id}', { id: one.id })).status).toBe(404)
    })
  })

  test('an import shows its rows by column and by code, and all of them as a download', async () => {
    const { id } = await api.import({
      jobId: unique('rows'),
      state: 'partial',
      progress: 1,
      rowsTotal: 300,
      rowsFailed: 2,
      skippedLines: 150,
      rowResults: 3,
      detailsState: 'complete',
      finishedAt: api.clock.now(),
    })
    await api.skippedLines(id, [Array.from({ length: 150 }, (_none, index) => index)])
    await api.rowResults(id, [
      { recordId: 'r-1', created: true },
      { recordId: 'r-2', errorCode: 'E42', errorMessage: 'No <b>such</b> country' },
      { recordId: 'r-3', errorCode: 'E42', errorMessage: 'No such currency' },
    ])
    await withPage(async (page) => {
      await signIn(page, `${api.url}/imports/${id}`)
      await page.getByText('Why partial: 2 rows failed, 150 lines skipped.').waitFor()
      await page.getByRole('link', { name: '150 lines skipped' }).click()
      expect(page.url()).toBe(`${api.url}/imports/${id}#skipped-lines`)
      const lines = page.locator('section', { has: page.getByRole('heading', { name: 'Skipped lines' }) })
      await lines.getByText('The first 100 of 150').click()
      expect(await lines.locator('details tbody tr').count()).toBe(100)
      expect(await lines.getByRole('table', { name: 'Skipped lines by column' }).locator('tbody').textContent()).toBe(
        '1150',
      )
      const results = page.locator('section', { has: page.getByRole('heading', { name: 'Row results' }) })
      expect(await results.locator('table.short tbody tr').allTextContents()).toEqual(['E422', 'no error1'])
      await results.getByText('All 2 failed').click()
      await results.getByText('No <b>such</b> country').waitFor()
      await lookAround(page, 'import-partial')
      const downloading = page.waitForEvent('download')
      await lines.getByRole('link', { name: 'CSV' }).click()
      const csv = await readFile(await (await downloading).path(), 'utf8')
      expect(csv.trim().split('\r\n')).toHaveLength(151)
    })
  })

  test('what is open stays open, and what is typed stays typed, while a page is brought up to date', async () => {
    const { id } = await api.import({ jobId: unique('live'), state: 'running', progress: 0.1 })
    await aTimeline(id)
    await withPage(async (page) => {
      await signIn(page, `${api.url}/imports/${id}`)
      await page.getByText('Answer').last().click()
      await page.locator('pre', { hasText: '"progress": 0.2' }).waitFor()
      await api.database.pool.query('UPDATE imports SET progress = 0.77 WHERE id = $1', [id])
      await page.locator('small', { hasText: '77 %' }).waitFor()
      expect(await page.locator('pre', { hasText: '"progress": 0.2' }).isVisible()).toBe(true)

      await page.goto(`${api.url}/imports`)
      await page.getByLabel('Job id begins with').fill('half typ')
      await api.database.pool.query('UPDATE imports SET progress = 0.88 WHERE id = $1', [id])
      await page.locator('small', { hasText: '88 %' }).waitFor()
      expect(await page.getByLabel('Job id begins with').inputValue()).toBe('half typ')
      expect(await page.locator('meta[http-equiv]').count()).toBe(0)
    })
  })

  test('what a scope may not do isn’t shown, and is refused when it is asked for', async () => {
    const { token } = (await api.call('POST /v1/tokens', {}, { body: { name: 'looker', scope: 'read' } })).body
    const one = await api.register()
    const signedIn = await api.send('/login', {
      method: 'POST',
      redirect: 'manual',
      body: new URLSearchParams({ token }),
    })
    const cookie = signedIn.headers.getSetCookie()[0]?.split(';')[0] ?? ''
    const headers = { cookie, accept: 'text/html' }
    const { body } = await api.send(`/imports/${one.id}`, { headers })
    expect(body).toContain(one.jobId)
    for (const word of ['Poll now', 'Stop', 'Delete', 'Queues']) expect(body, word).not.toContain(word)
    for (const action of ['poll', 'stop', 'resume', 'delete']) {
      const answer = await api.send(`/imports/${one.id}/${action}`, { method: 'POST', headers })
      expect(answer.status, action).toBe(403)
      expect(answer.body, action).toContain('That is not allowed')
    }
    const elsewhere = { ...headers, origin: 'https://evil.example' }
    expect((await api.send(`/imports/${one.id}/stop`, { method: 'POST', headers: elsewhere })).status).toBe(403)
    expect((await api.send(`/imports/${one.id}/stop`, { headers })).status).toBe(404) // no GET changes anything
  })

  test('an import that was resumed has run since then', async () => {
    const { id } = await api.register()
    await api.call('POST /v1/imports/{id}/stop', { id })
    api.clock.advance(3_600_000)
    await api.call('POST /v1/imports/{id}/resume', { id }, { body: {} })
    api.clock.advance(5_000)
    const { body } = await api.send(`/imports/${id}`, { headers: await admin() })
    expect(body).toContain('for 5 s since it was resumed')
  })

  test.each([
    'state=done',
    'attention=odd',
    'sort=up',
    'registeredAfter=yesterday',
    'after=x',
    'metadata.team=a&metadata.team=b',
  ])('a filter ?%s that can’t be read says so', async (query) => {
    const { status, body } = await api.send(`/imports?${query}`, { headers: await admin() })
    expect(status).toBe(200)
    expect(body).toContain('The filter can’t be read')
    expect(body).toContain(query.split('=')[0])
  })

  async function page404(): Promise<void> {
    for (const path of ['/nowhere', `/imports/${newId()}`, '/imports/x']) {
      const { status, body, headers } = await api.send(path, { headers: await admin() })
      expect(status, path).toBe(404)
      expect(headers.get('content-type')).toContain('text/html')
      expect(body).toContain('There is nothing here')
    }
    expect((await api.send('/nowhere')).body).toMatchObject({ code: 'not_found' })
  }

  async function admin() {
    const body = new URLSearchParams({ token: adminToken })
    const { headers } = await api.send('/login', { method: 'POST', redirect: 'manual', body })
    return { cookie: headers.getSetCookie()[0]?.split(';')[0] ?? '', accept: 'text/html' }
  }

  async function aTimeline(importId: string): Promise<void> {
    const rows = {
      total: 500,
      processed: 0,
      succeeded: null,
      failed: null,
      inserted: null,
      updated: null,
      skipped: null,
    }
    for (const [index, progress] of [0.2, 0.6].entries()) {
      const seenAt = new Date(api.clock.now().getTime() + index * 60_000)
      await api.database.db.insert(snapshots).values({
        importId,
        state: 'running',
        providerStatus: 'PROCESSING',
        progress,
        message: null,
        rows: { ...rows, processed: progress * 500 },
        body: { status: 'PROCESSING', progress },
        firstSeenAt: seenAt,
        lastSeenAt: new Date(seenAt.getTime() + 50_000),
        polls: 3,
      })
    }
  }
})
