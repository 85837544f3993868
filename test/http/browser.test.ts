import { existsSync } from 'node:fs'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { adminToken, useApi } from './api.ts'
import { aConnection, anImport, aStoredImport } from './fixtures.ts'

const executablePath = process.env.TEST_CHROMIUM ?? '/usr/bin/chromium'
const flags = '--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking'
/** Where to keep pictures of the pages, for people. */
const pictures = process.env.TEST_PICTURES

describe.skipIf(!existsSync(executablePath))(`in Chromium (${executablePath})`, () => {
  const api = useApi()
  let browser: Browser

  beforeAll(async () => {
    browser = await chromium.launch({
      executablePath,
      args: [...flags.split(' '), '--disable-component-update', '--disable-sync'],
    })
  })
  afterAll(() => browser?.close())

  /** Opens a page that fails the test when it breaks its security policy, asks anybody else, or throws. */
  async function withPage(run: (page: Page) => Promise<void>): Promise<void> {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 } })
    const page = await context.newPage()
    const complaints: string[] = []
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text())
    })
    page.on('pageerror', (error) => complaints.push(error.message))
    page.on('request', (request) => {
      if (!request.url().startsWith(api.url) && !/^(data|blob):/.test(request.url())) complaints.push(request.url())
    })
    await run(page)
    expect(complaints).toEqual([])
    await context.close()
  }

  async function signIn(page: Page, next: string): Promise<void> {
    await page.goto(`${api.url}${next}`)
    await page.getByLabel('API token').fill(adminToken)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.waitForURL(`${api.url}${next}`)
  }

  async function picture(page: Page, name: string): Promise<void> {
    if (pictures) await page.screenshot({ path: `${pictures}/${name}.png` })
  }

  test('the dashboard shows what is tracked, after signing in; signing out ends it', async () => {
    const connection = await aConnection(api)
    await anImport(api, { connection, jobId: 'just-registered' })
    const columns = { progress: 0.42, rowsTotal: 10_000, rowsProcessed: 4_200, rowsFailed: 3, polls: 12 }
    await aStoredImport(api, { jobId: 'half-way', state: 'running', ...columns })
    await aStoredImport(api, { jobId: 'gone', state: 'lost', lostReason: 'expired' })
    await aStoredImport(api, { jobId: 'odd', state: 'running', attention: 'unmapped_status' })
    await aStoredImport(api, { jobId: 'done', state: 'succeeded', progress: 1, rowsTotal: 500, rowsProcessed: 500 })
    await withPage(async (page) => {
      await page.goto(`${api.url}/login`)
      await picture(page, 'login')
      await signIn(page, '/')
      await page.getByText('half-way').waitFor()
      expect(await page.locator('tr', { hasText: 'half-way' }).textContent()).toContain('4,200 / 10,000')
      await picture(page, 'dashboard')
      await page.getByRole('button', { name: 'Sign out' }).click()
      await page.waitForURL(`${api.url}/login`)
      await page.goto(api.url)
      await page.getByLabel('API token').waitFor()
    })
  })

  test('Bull Board shows the queues and their jobs', async () => {
    await api.queues.all.poll.add('poll', { importId: 'shown-on-the-board' }, { jobId: 'imp-1a' })
    await withPage(async (page) => {
      await signIn(page, '/queues')
      await page.getByRole('link', { name: 'poll' }).first().click()
      await page.getByText('imp-1a').first().waitFor()
      await picture(page, 'queues')
    })
  })

  test('the docs show the operations, with nothing from anywhere else', async () => {
    await withPage(async (page) => {
      await page.goto(`${api.url}/docs`)
      await page.getByRole('heading', { name: 'Import Tracker' }).first().waitFor()
      await page.getByText('Register an import').first().waitFor()
      await picture(page, 'docs')
    })
  })
})
