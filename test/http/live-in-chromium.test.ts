import type { Page, Request } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type Cable, startCable } from '../support/cable.ts'
import { useApi } from '../support/worlds/api.ts'
import { adminToken, unique } from '../support/worlds/ground.ts'
import { executablePath, hasBrowser, signIn, useBrowser } from './browser.ts'

describe.skipIf(!hasBrowser)(`live pages in Chromium (${executablePath})`, () => {
  const api = useApi()
  const withPage = useBrowser(api)

  const progress = (id: string, value: number) => api.sql('UPDATE imports SET progress = $2 WHERE id = $1', [id, value])
  const shown = (page: Page, percent: number) => page.locator('small', { hasText: `${percent} %` }).waitFor()

  test('what is typed, opened, focused and scrolled stays while rows come, change and go', async () => {
    const own = unique('stays')
    const { id } = await api.import({ jobId: `${own}-first`, state: 'running', progress: 0.1 })
    const second = await api.import({ jobId: `${own}-second`, state: 'running', progress: 0.2 })
    for (let index = 0; index < 30; index++) await api.import({ jobId: `${own}-more-${index}` })
    await withPage(async (page) => {
      await signIn(page, `${api.url}/imports?jobIdPrefix=${own}`)
      await page.getByLabel('Connection').selectOption({ index: 1 })
      await page.getByLabel('Job id begins with').fill('half typ')
      await page.getByText('More filters').click()
      await page.getByRole('link', { name: `${own}-second` }).focus()
      const scrolled = await page.evaluate('scrollTo(0, 400), scrollY')
      await page.evaluate('window.row = document.activeElement')

      await progress(id, 0.77)
      await shown(page, 77)
      expect(await page.evaluate('scrollY')).toBe(scrolled)
      await api.import({ jobId: `${own}-new` })
      await page.getByText(`${own}-new`).waitFor()
      await api.sql('UPDATE imports SET job_id = $2 WHERE id = $1', [id, unique('elsewhere')])
      await page.getByText(`${own}-first`).waitFor({ state: 'detached' })
      await progress(second.id, 0.99)
      await shown(page, 99)

      expect(await page.getByLabel('Job id begins with').inputValue()).toBe('half typ')
      expect(await page.getByLabel('Connection').inputValue()).not.toBe('')
      expect(await page.getByLabel('Job id, exactly').isVisible()).toBe(true)
      expect(await page.evaluate('window.row === document.activeElement')).toBe(true)
    })
  })

  test('what is typed, chosen, opened, focused and scrolled survives more updates than a minute has', async () => {
    const own = unique('minute')
    const { id } = await api.import({ jobId: `${own}-first`, state: 'running', progress: 0 })
    for (let index = 0; index < 30; index++) await api.import({ jobId: `${own}-${index}`, state: 'running' })
    await withPage(async (page) => {
      await signIn(page, `${api.url}/imports?jobIdPrefix=${own}`)
      await page.getByText('More filters').click()
      await page.getByLabel('Job id, exactly').fill('half typ')
      await page.getByLabel('partial').check()
      await page.getByLabel('Connection').selectOption({ index: 1 })
      const scrolled = await page.evaluate(`
        const typed = document.querySelector('input[name=jobId]')
        typed.focus({ preventScroll: true })
        typed.setSelectionRange(2, 5)
        scrollTo(0, 300)
        window.typed = typed
        window.put = new BroadcastChannel('${api.url}/')
        scrollY`)
      expect(scrolled).toBeGreaterThan(0)
      for (let round = 1; round <= 60; round++) {
        await progress(id, round / 100)
        if (round % 10 === 0) await api.import({ jobId: `${own}-new-${round}`, state: 'running' })
        // At once, however seldom this page would be renewed.
        await page.evaluate("document.querySelector('main').dataset.live = 0, put.postMessage({ changed: true })")
        await shown(page, round)
      }
      await page.getByText(`${own}-new-60`).waitFor()
      expect(
        await page.evaluate(
          '[scrollY, document.activeElement === window.typed, typed.value, typed.selectionStart, typed.selectionEnd]',
        ),
      ).toEqual([scrolled, true, 'half typ', 2, 5])
      expect(await page.getByLabel('partial').isChecked()).toBe(true)
      expect(await page.getByLabel('Connection').inputValue()).not.toBe('')
    })
  })

  test('rows stay selected while everything changes, and the page says that it waits for them', async () => {
    const own = unique('rows')
    const { id } = await api.import({ jobId: `${own}-first`, state: 'running', progress: 0.1 })
    await api.import({ jobId: `${own}-second`, state: 'running' })
    await withPage(async (page) => {
      await signIn(page, `${api.url}/imports?jobIdPrefix=${own}`)
      await page.locator('input[name=ids]').first().check()
      await page.getByText('Paused while rows are selected').waitFor()
      for (let round = 0; round < 5; round++) {
        const heard = told(page, api.url)
        await progress(id, (20 + round) / 100)
        await heard
      }
      expect(await page.locator('input[name=ids]').first().isChecked()).toBe(true)
      expect(await page.locator('tr', { hasText: `${own}-first` }).textContent()).toContain('10 %')
      await page.locator('input[name=ids]').first().uncheck()
      await shown(page, 24)
      await page.locator('[data-live-status]:empty').waitFor({ state: 'attached' })
    })
  })

  test('a page pauses while a text is selected, and says so', async () => {
    const { id } = await api.import({ jobId: unique('selected'), state: 'running', progress: 0.1 })
    await withPage(async (page) => {
      await signIn(page, `${api.url}/imports/${id}`)
      await shown(page, 10)
      await page.evaluate("getSelection().selectAllChildren(document.querySelector('h1'))")
      await page.getByText('Paused while a text is selected').waitFor()
      await progress(id, 0.5)
      await told(page, api.url)
      expect(await page.locator('small', { hasText: '50 %' }).count()).toBe(0)
      await page.evaluate('getSelection().removeAllRanges()')
      await shown(page, 50)
      expect(await page.locator('[data-live-status]').textContent()).toBe('')
    })
  })

  test('a page that is hidden has no stream, and is right again when it is seen', async () => {
    const { id } = await api.import({ jobId: unique('hidden'), state: 'running', progress: 0.1 })
    await withPage(async (page) => {
      const streams = streamsOf(page)
      await signIn(page, `${api.url}/imports/${id}`)
      await vi.waitFor(() => expect(streams.of()).toHaveLength(1))
      await hide(page, true)
      await vi.waitFor(() => expect(streams.of()).toEqual([]))
      expect(await page.locator('[data-live-status]').textContent()).toBe('Paused while hidden')
      await progress(id, 0.5)
      await hide(page, false)
      await shown(page, 50)
      await vi.waitFor(() => expect(streams.of()).toHaveLength(1))
      expect(await page.locator('[data-live-status]').textContent()).toBe('')
    })
  })

  test('tabs share one stream, and another one takes over from the one that had it', async () => {
    const jobId = unique('shared')
    const { id } = await api.import({ jobId, state: 'running', progress: 0.1 })
    await withPage(async (first) => {
      const streams = streamsOf(first)
      await signIn(first, `${api.url}/imports/${id}`)
      await vi.waitFor(() => expect(streams.of()).toHaveLength(1))
      const second = await first.context().newPage()
      await second.goto(`${api.url}/imports?jobIdPrefix=${jobId}`)
      await progress(id, 0.5)
      await Promise.all([shown(first, 50), shown(second, 50)])
      expect(streams.of()).toEqual([first])
      await first.close()
      await vi.waitFor(() => expect(streams.of()).toEqual([second]))
      await progress(id, 0.6)
      await shown(second, 60)
    })
  })

  test('without locks, as over plain http, each tab has a stream of its own', async () => {
    const { id } = await api.import({ jobId: unique('alone'), state: 'running', progress: 0.1 })
    await withPage(
      async (first) => {
        const streams = streamsOf(first)
        await signIn(first, `${api.url}/imports/${id}`)
        const second = await first.context().newPage()
        await second.goto(`${api.url}/imports/${id}`)
        await vi.waitFor(() => expect(new Set(streams.of())).toEqual(new Set([first, second])))
        await progress(id, 0.5)
        await Promise.all([shown(first, 50), shown(second, 50)])
      },
      { init: "Object.defineProperty(navigator, 'locks', { value: undefined })" },
    )
  })

  test('a change of state is told to who can’t see it, and nothing else is', async () => {
    const { id } = await api.import({ jobId: unique('told'), state: 'running', progress: 0.1 })
    await withPage(async (page) => {
      await signIn(page, `${api.url}/imports/${id}`)
      await progress(id, 0.5)
      await shown(page, 50)
      expect(await page.locator('[data-live-told]').textContent()).toBe('')
      await api.sql(`UPDATE imports SET state = 'succeeded', finished_at = now() WHERE id = $1`, [id])
      await page.locator('[data-live-told]', { hasText: 'succeeded' }).waitFor({ state: 'attached' })
    })
  })

  describe('when the service is killed', () => {
    const away = { url: '' }
    let cable: Cable
    const withCable = useBrowser(away)
    beforeAll(async () => {
      cable = await startCable(api.url)
      away.url = new URL(cable.url).origin
    })
    afterAll(() => cable.cut())

    test('its pages say so within 2 s, and are right again within 5 s of when it is back', async () => {
      const { id } = await api.import({ jobId: unique('killed'), state: 'running', progress: 0 })
      const saying: number[] = []
      const mending: number[] = []
      await withCable(
        async (page) => {
          const streams = streamsOf(page)
          await signIn(page, `${away.url}/imports/${id}`)
          await page.evaluate(`new MutationObserver(() => {
            const [said, main] = ['[data-live-status]', 'main'].map((part) => document.querySelector(part).textContent)
            if (said.startsWith('Reconnecting')) window.saidAt ??= performance.now()
            else if (said === '' && main.includes(window.wanted)) window.rightAt ??= performance.now()
          }).observe(document.body, { subtree: true, childList: true, characterData: true })`)
          for (const percent of [31, 32, 33]) {
            await vi.waitFor(() => expect(streams.of()).toHaveLength(1))
            // The page's own clock says when: how long the test takes to look again is no part of it.
            const killedAt = await page.evaluate(
              `window.saidAt = window.rightAt = undefined; window.wanted = '${percent} %'; performance.now()`,
            )
            cable.plug('http://127.0.0.1:9')
            saying.push((await timeOf(page, 'saidAt')) - Number(killedAt))
            await progress(id, percent / 100)
            cable.plug(api.url)
            await vi.waitFor(async () => expect((await fetch(`${away.url}/readyz`)).status).toBe(200))
            const backAt = Number(await page.evaluate('performance.now()'))
            mending.push((await timeOf(page, 'rightAt')) - backAt)
          }
        },
        { expected: /ERR_/ },
      )
      // A machine may be busy once, not three times.
      expect(Math.min(...saying), `${saying}`).toBeLessThan(2_000)
      expect(Math.min(...mending), `${mending}`).toBeLessThan(5_000)
    })
  })
})

describe.skipIf(!hasBrowser)('live pages beyond the caps in Chromium', () => {
  const api = useApi({
    limits: { requestsPerSecond: 1_000_000, streamsPerToken: 1, streams: 10, waiters: 10, downloads: 10 },
  })
  const withPage = useBrowser(api)

  test('say why they aren’t live, and are when there is room', async () => {
    const refusal = 'Not live: Too many streams are under way; try again soon.'
    const own = unique('capped')
    for (let index = 0; index < 50; index++) await api.import({ jobId: `${own}-${index}` })
    const headers = { authorization: `Bearer ${adminToken}` }
    const other = new AbortController()
    const taken = await fetch(`${api.url}/pages/stream`, { headers, signal: other.signal })
    expect(taken.headers.get('content-type')).toBe('text/event-stream')
    expect((await api.send('/pages/stream', { headers })).body).toMatchObject({
      code: 'too_many_requests',
      detail: refusal.replace('Not live: ', ''),
    })
    await withPage(
      async (page) => {
        await signIn(page, `${api.url}/imports`)
        await page.evaluate(`window.said = []
          new MutationObserver(() => said.push(document.querySelector('[data-live-status]').textContent))
            .observe(document.querySelector('[data-live-status]'), { childList: true, characterData: true, subtree: true })`)
        await page.getByText(refusal).waitFor()
        const pill = await page.locator('[data-live-status]').boundingBox()
        const all = await page.getByLabel('All on this page').boundingBox()
        expect((all?.y ?? 0) + (all?.height ?? 0)).toBeLessThan(pill?.y ?? 0)
        let asked = 0
        page.on('response', (response) => {
          if (response.status() === 429) asked++
        })
        await vi.waitFor(() => expect(asked).toBeGreaterThan(3)) // two rounds
        expect(await page.evaluate('said.slice(said.findIndex((text) => text.startsWith("Not live")))')).toEqual([
          refusal,
        ])
        other.abort()
        await page.locator('[data-live-status]:empty').waitFor({ state: 'attached' })
      },
      { expected: /429/ },
    )
  })
})

/** Which pages of this browser have a stream open, each as often as it has. */
function streamsOf(page: Page) {
  const open = new Set<Request>()
  page
    .context()
    .on('request', (request) => request.resourceType() === 'eventsource' && open.add(request))
    .on('requestfailed', (request) => open.delete(request))
    .on('requestfinished', (request) => open.delete(request))
  return { of: () => Array.from(open, (request) => request.frame().page()).filter((one) => !one.isClosed()) }
}

/** What the page's own clock said when it happened. */
async function timeOf(page: Page, name: string): Promise<number> {
  const found = await vi.waitUntil(() => page.evaluate(`window.${name}`))
  return Number(found)
}

/** As if another tab was looked at. */
function hide(page: Page, isHidden: boolean): Promise<void> {
  return page.evaluate(
    `Object.defineProperty(document, 'hidden', { value: ${isHidden}, configurable: true }); document.dispatchEvent(new Event('visibilitychange'))`,
  )
}

/** Resolves when every page has been told of all changes: another listener of the tabs' channel has. */
function told(page: Page, url: string): Promise<void> {
  return page.evaluate(
    `new Promise((resolve) => { new BroadcastChannel('${url}/').onmessage = ({ data }) => data.changed && resolve() })`,
  )
}
