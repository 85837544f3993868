import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { gzipSync } from 'node:zlib'
import { Router } from 'express'
import type { Page, Response } from 'playwright-core'
import { beforeAll, describe, expect, test } from 'vitest'
import { useApi } from '../support/worlds/api.ts'
import { adminToken, unique } from '../support/worlds/ground.ts'
import { executablePath, hasBrowser, lookAround, signIn, useBrowser } from './browser.ts'
import { everyPage, type PageName, type Place, pageNames } from './every-page.ts'

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

const policyOfPages = [
  "base-uri 'none'",
  "connect-src 'self'",
  "default-src 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "img-src 'self'",
  "script-src 'self'",
  "style-src 'self'",
]

interface Violation {
  id: string
  impact: string
  nodes: { html: string; failureSummary: string }[]
}

/** The routes that servers were given, in the order in which they are tried. */
const routes: { path: string; methods: Record<string, boolean>; router: unknown }[] = []
const { route } = Router.prototype
Router.prototype.route = function (path: string) {
  const made = route.call(this, path)
  routes.push({ path, methods: made.methods, router: this })
  return made
}

describe.skipIf(!hasBrowser)(`every page in Chromium (${executablePath})`, () => {
  const api = useApi()
  const withPage = useBrowser(api)

  test('the page to sign in and the first steps hold what every page does', async () => {
    await withPage(
      async (page) => {
        const answer = answerOf(page)
        await page.goto(`${api.url}/login`)
        await check(page, 'login', answer)
        await page.getByLabel('API token').fill('none')
        await page.getByRole('button', { name: 'Sign in' }).click()
        await page.getByRole('alert').waitFor()
        await check(page, 'login-refused', answer)
        await signIn(page, `${api.url}/`)
        await page.getByRole('heading', { name: 'First steps' }).waitFor()
        await check(page, 'first-steps', answer)
      },
      { expected: /401/ },
    )
  })

  describe('of a house in use', () => {
    let pages: Record<PageName, Place>
    beforeAll(async () => {
      pages = await everyPage(api)
    })

    test.each(pageNames)('%s holds what every page does', async (name) => {
      await withPage(
        async (page) => {
          const { path, act } = pages[name]
          const answer = answerOf(page)
          await signIn(page, api.url + path)
          await act?.(page)
          await page.getByRole('heading', { level: 1 }).waitFor()
          await page.evaluate("for (const folded of document.querySelectorAll('main details')) folded.open = true")
          await check(page, name, answer)
        },
        { expected: /40[049]/ },
      )
    })

    test('every route that answers with a page is among them', async () => {
      // Applications that come as a bundle have routers of their own.
      const site = routes.find(({ path }) => path === '/login')?.router
      const gets = routes
        .filter(({ router, path, methods }) => router === site && methods.get && !path.startsWith('/v1/'))
        .map(({ path }) => ({ path, pattern: new RegExp(`^${path.replaceAll(/:\w+/g, '[^/]+')}$`) }))
      // A secret's page is come to by making one.
      const made = `${pages.webhook.path}/secret`
      const paths = [...Object.values(pages).map(({ path }) => path), '/login', '/docs', made]
      const walked = new Set(paths.map((path) => gets.find(({ pattern }) => pattern.test(path.split('?')[0] ?? ''))))
      const [, , id = ''] = pages['import-partial'].path.split('/')
      const headers = { authorization: `Bearer ${adminToken}`, accept: 'text/html' }
      for (const route of gets.filter((one) => !walked.has(one))) {
        const answer = await api.send(route.path.replace(':id', id), { method: 'HEAD', headers })
        expect(answer.headers.get('content-type') ?? '', route.path).not.toContain('html')
      }
      expect(walked.size).toBeGreaterThan(15)
    })

    test('shows times in UTC, or in the reader’s own zone once that is chosen', async () => {
      await withPage(
        async (page) => {
          await signIn(page, `${api.url}${pages['import-live'].path}`)
          const registered = page.locator('dt', { hasText: 'Registered' }).locator('+ dd time').last()
          expect(await registered.textContent()).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$/)
          await page.getByRole('button', { name: 'local' }).click()
          await page.getByRole('button', { name: 'local', pressed: true }).waitFor()
          const iso = String(await registered.getAttribute('datetime'))
          const hour = new Intl.DateTimeFormat('sv', { hour: '2-digit', minute: '2-digit', timeZone: 'Asia/Kolkata' })
          const shown = await registered.textContent()
          expect(shown).toContain(` ${hour.format(new Date(iso))}:`)
          expect(shown).toContain('GMT+5:30')
          const relative = page.locator('time[data-away]').first()
          expect(await relative.getAttribute('title')).toContain('GMT+5:30')
          await page.getByRole('button', { name: 'UTC' }).click()
          await page.getByRole('button', { name: 'UTC', pressed: true }).waitFor()
          expect(await registered.textContent()).toContain('UTC')
        },
        { timezoneId: 'Asia/Kolkata' },
      )
    })

    test('loads at most 60 kB of script and style, compressed', async () => {
      await withPage(
        async (page) => {
          const urls = new Set<string>()
          page.on('request', (request) => {
            if (['script', 'stylesheet'].includes(request.resourceType())) urls.add(request.url())
          })
          await signIn(page, `${api.url}/`)
          for (const { path } of Object.values(pages))
            if (!path.includes('/docs/')) await page.goto(api.url + path, { waitUntil: 'load' })
          const sizes = await Promise.all(
            Array.from(urls, async (url) => gzipSync(await (await fetch(url)).bytes()).length),
          )
          expect(sizes.length).toBeGreaterThan(5)
          expect(sizes.reduce((sum, size) => sum + size)).toBeLessThanOrEqual(60_000)
        },
        { expected: /40[049]/ },
      )
    })
  })

  /** The answer that the page shows. */
  function answerOf(page: Page): () => Response {
    let last: Response | undefined
    page.on('response', (response) => {
      const isPage = response.request().isNavigationRequest() && ![301, 302, 303].includes(response.status())
      if (isPage) last = response
    })
    return () => last ?? expect.fail('no page was loaded')
  }

  async function check(page: Page, name: string, answer: () => Response): Promise<void> {
    const policy = (await answer().headerValue('content-security-policy')) ?? ''
    expect(policy.split(';').sort(), name).toEqual(policyOfPages)
    expect(await answer().text(), name).not.toMatch(/<[^>]+\sstyle=|<style|<script(?![^>]* src=)|\son\w+=/)
    await lookAround(page, name)
    await page.evaluate(axe)
    expect(await violations(page, '{}'), `${name}, light`).toEqual([])
    await page.emulateMedia({ colorScheme: 'dark' })
    expect(await violations(page, `{ runOnly: ['color-contrast'] }`), `${name}, dark`).toEqual([])
    expect(await page.evaluate(unlabelled), 'tables without a caption').toBe(0)
    expect(await page.evaluate(lost), 'links that lead nowhere').toEqual([])
  }

  async function violations(page: Page, options: string): Promise<[string, string[]][]> {
    const found = (await page.evaluate(`axe.run(${options})`)) as { violations: Violation[] }
    const bad = found.violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
    return bad.map(({ id, nodes }) => [id, nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`)])
  }

  test('is gone through by keys, which never fire while somebody types or holds a modifier', async () => {
    const own = unique('keys')
    for (const name of ['third', 'second', 'first']) await api.import({ jobId: `${own}-${name}` })
    await withPage(async (page) => {
      await signIn(page, `${api.url}/imports?jobIdPrefix=${own}`)
      const focused = () => page.evaluate('document.activeElement.textContent')
      await page.keyboard.press('j')
      expect(await focused()).toBe(`${own}-first`)
      await page.keyboard.press('j')
      await page.keyboard.press('j')
      await page.keyboard.press('j')
      expect(await focused()).toBe(`${own}-third`)
      await page.keyboard.press('k')
      expect(await focused()).toBe(`${own}-second`)

      await page.keyboard.press('/')
      const search = page.getByLabel('Job id begins with')
      await page.keyboard.type('jkx?gi/')
      expect(await search.inputValue()).toContain('jkx?gi/')
      expect(page.url()).toContain('jobIdPrefix')
      await search.blur()
      for (const key of ['Control+j', 'Alt+j', 'Meta+j']) await page.keyboard.press(key)
      expect(await page.evaluate('document.activeElement === document.body')).toBe(true)

      await page.keyboard.press('?')
      const keys = page.getByRole('dialog', { name: 'Keys' })
      await keys.waitFor()
      await page.keyboard.press('g')
      await page.keyboard.press('w')
      await page.keyboard.press('Escape')
      await keys.waitFor({ state: 'hidden' })
      expect(page.url()).toContain('jobIdPrefix')

      await page.keyboard.press('j')
      expect(await focused()).toBe(`${own}-first`)
      await page.keyboard.press('Enter')
      await page.getByRole('heading', { name: `${own}-first` }).waitFor()
      for (const [key, path] of Object.entries({ w: '/webhooks', c: '/connections', o: '/', i: '/imports' })) {
        await page.keyboard.press('g')
        await page.keyboard.press(key)
        await page.waitForURL(`${api.url}${path}`)
      }
    })
  })

  test('a row with a checkbox is selected by x, and the page pauses meanwhile', async () => {
    await withPage(async (page) => {
      await signIn(page, `${api.url}/imports`)
      await page.keyboard.press('j')
      await page.keyboard.press('x')
      await page.getByText('Paused while rows are selected').waitFor()
      expect(await page.locator('tbody tr').first().getByRole('checkbox').isChecked()).toBe(true)
      await page.keyboard.press('x')
      await page.locator('[data-live-status]:empty').waitFor({ state: 'attached' })
    })
  })

  test('remembers light, dark or system, and has the colour before anything is painted', async () => {
    await withPage(async (page) => {
      const paper = () => page.evaluate('getComputedStyle(document.body).backgroundColor')
      await signIn(page, `${api.url}/imports?state=running`)
      await page.emulateMedia({ colorScheme: 'light' })
      const light = await paper()
      await page.getByRole('button', { name: 'dark' }).click()
      await page.waitForURL(`${api.url}/imports?state=running`)
      const dark = await paper()
      expect(dark).not.toBe(light)
      expect(await page.getByRole('button', { name: 'dark' }).getAttribute('aria-pressed')).toBe('true')
      await page.goto(`${api.url}/connections`)
      expect(await paper()).toBe(dark)
      expect(await page.evaluate('document.documentElement.dataset.theme')).toBe('dark')
      await page.getByRole('button', { name: 'light' }).click()
      await page.emulateMedia({ colorScheme: 'dark' })
      expect(await paper()).toBe(light)
      await page.getByRole('button', { name: 'system' }).click()
      expect(await paper()).toBe(dark)
    })
  })

  test('the choices work without a script, refuse other words and other sites', async () => {
    const post = (body: Record<string, string>, headers = {}) =>
      api.send('/preferences', {
        method: 'POST',
        redirect: 'manual',
        body: new URLSearchParams(body),
        headers: { referer: `${api.url}/imports?state=lost`, ...headers },
      })
    const { status, headers } = await post({ theme: 'dark' })
    expect([status, headers.get('location')]).toEqual([303, '/imports?state=lost'])
    const cookie = headers.getSetCookie()[0] ?? ''
    expect(cookie).toMatch(/^import_tracker_theme=dark; Max-Age=\d+; Path=\/; HttpOnly; SameSite=Lax$/)
    expect((await api.send('/login', { headers: { cookie, accept: 'text/html' } })).body).toContain('data-theme="dark"')
    expect((await post({ theme: 'pink' })).body).toMatchObject({ errors: [{ field: 'theme' }] })
    expect((await post({ zone: 'local' }, { 'sec-fetch-site': 'cross-site' })).status).toBe(403)
    for (const referer of ['https://evil.example/imports', `${api.url}//evil.example/`, 'nonsense'])
      expect((await post({ zone: 'local' }, { referer })).headers.get('location'), referer).toBe('/')
  })
})

const unlabelled = "[...document.querySelectorAll('main table')].filter((table) => !table.caption).length"
const lost = `[...document.querySelectorAll('a[href^="#"]')].map(({ hash }) => hash).filter((hash) => !document.querySelector(hash))`
