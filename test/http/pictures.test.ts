// The README's pictures, of the demo's scenarios over two months. `npm run pictures` takes them anew.

import { pino } from 'pino'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Scheduler, startScheduler } from '../../src/work/schedule.ts'
import { asOf, fillDemoHistory } from '../support/demo-history.ts'
import { useApi } from '../support/worlds/api.ts'
import { executablePath, hasBrowser, picture, signIn, useBrowser } from './browser.ts'

describe.skipIf(!hasBrowser)(`the pictures of the README, in Chromium (${executablePath})`, () => {
  const api = useApi()
  const withPage = useBrowser(api)
  let ticks: Scheduler

  beforeAll(async () => {
    await fillDemoHistory(api.db)
    api.clock.set(asOf)
    ticks = await startScheduler({ queues: api.queues, log: pino({ level: 'silent' }) }) // without them, work stands still
  })
  afterAll(() => ticks?.stop())

  async function take(page: Page, name: string, path: string, heading: string): Promise<void> {
    await page.goto(api.url + path)
    await page.getByRole('heading', { name: heading }).first().waitFor()
    expect(await page.getByText('Work stands still').count()).toBe(0)
    await picture(page, name)
  }

  test('show the overview, an import that went wrong in part, and an endpoint that fails', async () => {
    const [partial] = await api.sql(
      `SELECT id, job_id FROM imports WHERE state = 'partial' AND skipped_lines >= 12 ORDER BY finished_at DESC LIMIT 1`,
    )
    const [failing] = await api.sql('SELECT id FROM webhook_endpoints WHERE failing_since IS NOT NULL')
    await withPage(async (page) => {
      await page.setViewportSize({ width: 1280, height: 960 })
      await signIn(page, `${api.url}/`)
      await take(page, 'overview', '/', 'The last 30 days')
      expect(await page.locator('.bars a').count()).toBeGreaterThan(30)
      expect(await page.locator('.sparkline').count()).toBe(6)
      await take(page, 'import', `/imports/${partial?.id}`, String(partial?.job_id))
      await take(page, 'webhook', `/webhooks/${failing?.id}`, 'erp.example.com')
    })
  })
})
