// Owns the browser of tests: a real Chromium, where there is one, in which any breach of a page's policy is a failure.
import { existsSync } from 'node:fs'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, expect } from 'vitest'
import type { Api } from '../support/worlds/api.ts'
import { adminToken } from '../support/worlds/ground.ts'

export const executablePath = process.env.TEST_CHROMIUM ?? '/usr/bin/chromium'
export const hasBrowser = existsSync(executablePath)

const sizes = { wide: { width: 1280, height: 900 }, narrow: { width: 390, height: 844 } }

/** A busy machine is many times slower than a quiet one. */
const patienceMs = 120_000

/** Where to keep pictures of the pages, for people. */
const pictures = process.env.TEST_PICTURES
const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

interface Visit {
  /** Complaints of the browser that are what the test is about. */
  expected?: RegExp
  /** What runs in each page before its own scripts. */
  init?: string
  /** Where the reader is. Absent: where the machine is. */
  timezoneId?: string
  /** False: no script runs. */
  javaScriptEnabled?: boolean
}

/** Opens pages of the API's own; each fails its test when it breaks its policy, asks anybody else, or throws. */
export function useBrowser(
  api: Pick<Api, 'url'>,
): (run: (page: Page) => Promise<void>, visit?: Visit) => Promise<void> {
  let browser: Browser
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath, args: flags })
  })
  afterAll(() => browser?.close())

  return async (run, { expected, init, ...reader } = {}) => {
    const context = await browser.newContext({ viewport: sizes.wide, ...reader })
    context.setDefaultTimeout(patienceMs)
    if (init !== undefined) await context.addInitScript(init)
    const complaints: string[] = []
    context.on('page', (page) => page.on('pageerror', (error) => complaints.push(error.message)))
    context.on('console', (message) => {
      if (message.type() === 'error' && !expected?.test(message.text())) complaints.push(message.text())
    })
    context.on('request', (request) => {
      if (!request.url().startsWith(api.url) && !/^(data|blob):/.test(request.url())) complaints.push(request.url())
    })
    try {
      await run(await context.newPage())
      expect(complaints).toEqual([])
    } finally {
      await context.close()
    }
  }
}

/** Asks for the page, signs in where that is wanted, and is back at the page. */
export async function signIn(page: Page, url: string): Promise<void> {
  await page.goto(url)
  await page.getByLabel('API token').fill(adminToken)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.waitForURL(url)
}

export async function picture(page: Page, name: string): Promise<void> {
  if (pictures) await page.screenshot({ path: `${pictures}/${name}.png` })
}

const outOfCards = `[...document.querySelectorAll('.card .facts *')]
  .filter((fact) => fact.getBoundingClientRect().right > fact.closest('.card').getBoundingClientRect().right)
  .map((fact) => fact.outerHTML)`

/** Looks at a page at both sizes and in both schemes: nothing may scroll sideways, and no fact sticks out of its card. */
export async function lookAround(page: Page, name: string): Promise<void> {
  for (const [size, viewport] of Object.entries(sizes))
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.setViewportSize(viewport)
      await page.emulateMedia({ colorScheme })
      expect(await page.evaluate('document.documentElement.scrollWidth'), `${name}, ${size}`).toBeLessThanOrEqual(
        viewport.width,
      )
      expect(await page.evaluate(outOfCards), `${name}, ${size}`).toEqual([])
      if (pictures) await page.screenshot({ path: `${pictures}/${name}-${size}-${colorScheme}.png`, fullPage: true })
    }
  await page.setViewportSize(sizes.wide)
  await page.emulateMedia({ colorScheme: 'light' })
}
