import { pino } from 'pino'
import type { Page } from 'playwright-core'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { after } from '../../src/base/clock.ts'
import { attentionCard } from '../../src/http/pages/attention.ts'
import { markDays, rollUp } from '../../src/reporting/daily-outcomes.ts'
import { outcomes } from '../../src/reporting/outcome-days.ts'
import { startScheduler } from '../../src/work/schedule.ts'
import { useApi } from '../support/worlds/api.ts'
import { adminToken, unique } from '../support/worlds/ground.ts'
import { executablePath, hasBrowser, lookAround, signIn, useBrowser } from './browser.ts'

const api = useApi()
const dayMs = 86_400_000
const hourMs = 3_600_000

/** Imports of a connection that ended so many days ago, and as which. */
async function end(connectionId: string, daysAgo: number, states: readonly string[], tookMs = hourMs): Promise<void> {
  for (const state of states) {
    const finishedAt = after(api.clock.now(), -daysAgo * dayMs - 60_000)
    const registeredAt = after(finishedAt, -tookMs)
    const ended = { state, finishedAt, registeredAt, providerCreatedAt: registeredAt, providerFinishedAt: finishedAt }
    await api.import({ connectionId, jobId: unique('job'), ...ended })
    await api.db.transaction((tx) => markDays(tx, [connectionId], [registeredAt, finishedAt]))
  }
  await rollUp(api, new AbortController().signal)
}

async function show(path = '/'): Promise<string> {
  const signedIn = await api.send('/login', {
    method: 'POST',
    redirect: 'manual',
    body: new URLSearchParams({ token: adminToken }),
  })
  const cookie = signedIn.headers.getSetCookie()[0]?.split(';')[0] ?? ''
  const { status, body } = await api.send(path, { headers: { accept: 'text/html', cookie } })
  expect(status).toBe(200)
  return String(body)
}

/** The parts of the bars, as their titles say them. */
function titlesIn(html: string): string[] {
  return [...html.matchAll(/<title>(\d{4}-\d\d-\d\d: [^<]+)<\/title>/g)].map(([, title = '']) => title).toSorted()
}

beforeEach(() => api.clock.advance(10_000)) // past what is remembered

test('before anything ended there are no bars, and the page says so', async () => {
  const html = await show()
  expect(html).toContain('Nothing ended in these days. <small>What ends is counted within a minute.')
  expect(titlesIn(html)).toEqual([])
})

test('all is well only where work goes on', async () => {
  const stopped = await show()
  expect(stopped).toContain('Work stands still')
  expect(stopped).not.toContain('All is well')
  const ticks = await startScheduler({ queues: api.queues, log: pino({ level: 'silent' }) })
  onTestFinished(() => ticks.stop())
  const started = await show()
  expect(started).not.toContain('Work stands still')
  expect(started).toContain('All is well')
})

test('the bars, the table and reporting.daily_outcomes have the same numbers', async () => {
  const [{ id: one, name }, { id: other }] = [await api.connection(), await api.connection()]
  await end(one, 0, ['succeeded', 'failed', 'succeeded'])
  await end(one, 3, ['partial', 'lost'])
  await end(other, 3, ['partial', 'stopped', 'canceled'])
  await end(other, 29, ['failed'])
  await end(other, 30, ['failed']) // before the first day that is shown
  api.clock.advance(10_000)
  const since = after(api.clock.now(), -29 * dayMs)
    .toISOString()
    .slice(0, 10)
  const rows = await api.sql(
    `SELECT day::text, ${outcomes.map((outcome) => `sum(${outcome})::int AS ${outcome}`).join(', ')}
    FROM reporting.daily_outcomes WHERE day >= $1 GROUP BY day`,
    [since],
  )
  const counted = rows.flatMap((row) =>
    outcomes.flatMap((outcome) => (row[outcome] === 0 ? [] : [`${row.day}: ${row[outcome]} ${outcome}`])),
  )
  expect(counted).toHaveLength(7)
  const html = await show()
  expect(titlesIn(html)).toEqual(counted.toSorted())
  const sum = (outcome: string) => rows.reduce((total, row) => total + Number(row[outcome]), 0)
  for (const outcome of outcomes) expect(html).toMatch(new RegExp(`</svg> ${outcome} <b>${sum(outcome)}</b>`))
  expect(html).toContain('33.3 %') // two succeeded, two in part, and two failed
  expect(html.match(/<th scope="row">/g)).toHaveLength(30)

  const theirs = await show(`/connections/${name}`)
  expect(titlesIn(theirs)).toHaveLength(4)
  expect(theirs).toContain('<dd class="figure">≈ 1 h</dd>')
})

test('a connection’s page tells whether the last week was slower than the days before', async () => {
  const { id, name } = await api.connection()
  await end(id, 2, ['succeeded'], 3 * hourMs)
  await end(id, 12, ['succeeded'])
  const page = await show(`/connections/${name}`)
  expect(page).toMatch(/p50 of the last 7 days<\/dt><dd class="figure">3 h <small>3.0 times as long as before</)
  expect(page).toMatch(/p50 of the 23 days before<\/dt><dd class="figure">1 h</)
})

test('a connection’s page tells when its month runs out once it has shown a rate', async () => {
  const now = api.clock.now()
  const limits = { requestsPerMonth: 100 }
  const spent = (requests: number) => ({
    budgetMonth: now.toISOString().slice(0, 7),
    monthRequests: requests,
    recentRequests: requests,
    recentAt: now,
  })
  const { name: young } = await api.connection({ limits, createdAt: now, ...spent(2) })
  const { name: busy } = await api.connection({ limits, createdAt: now, ...spent(50) })
  expect(await show(`/connections/${young}`)).not.toContain('runs out')
  expect(await show(`/connections/${busy}`)).toContain('runs out')
})

test('a connection’s page names its imports, and not itself beside each', async () => {
  const { id, name } = await api.connection()
  const { jobId } = await api.import({ connectionId: id, state: 'running' })
  const page = await show(`/connections/${name}`)
  expect(page).toContain(`<code>${jobId}</code>`)
  expect(page).not.toContain('data-label="Connection"')
})

test('a connection’s page shows what it was made with', async () => {
  const made = { baselineBy: ['team', 'kind'], volatileFields: ['/updated_at'] }
  const { name } = await api.connection({ ...made, settings: { apiVersion: '66.0' } })
  const page = await show(`/connections/${name}`)
  for (const text of ['team, kind', '/updated_at', '{&#34;apiVersion&#34;:&#34;66.0&#34;}'])
    expect(page).toContain(`<code>${text}</code>`)
})

test('what needs attention is listed with the worst first, each with a link to where it is mended', async () => {
  const now = api.clock.now()
  const paused = await api.connection({ pausedAt: now, pauseReason: 'unauthorized' })
  const byHand = await api.endpoint({ disabledAt: now, disabledReason: 'manual' })
  const givenUp = await api.endpoint({ disabledAt: now, disabledReason: 'gone' })
  const failing = await api.endpoint({ failingSince: after(now, -720_000), firstFailureAt: after(now, -720_000) })
  await api.delivery({ endpointId: failing.id, state: 'exhausted', attempts: 9, nextAttemptAt: null })
  for (const attention of ['overdue', 'stalled', 'forbidden', 'unmapped_status'])
    await api.import({ connectionId: paused.id, state: 'running', attention })
  await api.import({ connectionId: paused.id, state: 'lost', lostReason: 'expired', finishedAt: now })
  api.clock.advance(10_000)
  const html = await show()
  const [, list = ''] = /<ul class="attention">(.*?)<\/ul>/s.exec(html) ?? []
  const links = [...list.matchAll(/<a href="([^"]+)">[^<]+<\/a>/g)].map(
    ([, path = '']) => path.split(/\?|&/)[0] + (/attention=\w+|state=\w+/.exec(path)?.[0] ?? ''),
  )
  expect(links).toEqual([
    `/connections/${paused.name}`,
    `/webhooks/${givenUp.id}`,
    `/webhooks/${failing.id}`,
    '/importsattention=unmapped_status',
    '/importsattention=forbidden',
    '/importsstate=lost',
    `/webhooks/${failing.id}state=exhausted`,
    `/webhooks/${failing.id}/recover`,
    '/importsattention=stalled',
    '/importsattention=overdue',
    `/webhooks/${byHand.id}`,
  ])
  expect(html).not.toContain('All is well')
})

test('a delivery that failed for good after four days is told, and the list that is led to has no other', async () => {
  const { id: endpointId } = await api.endpoint()
  const failed = (days: number) =>
    api.delivery({
      endpointId,
      state: 'exhausted',
      attempts: 12,
      nextAttemptAt: null,
      createdAt: after(api.clock.now(), -days * dayMs),
    })
  const [recent, old] = [await failed(4), await failed(8)]
  api.clock.advance(10_000)
  const overview = await show()
  const hrefOf = (verb: string) =>
    new RegExp(`<a href="(/webhooks/${endpointId}[^"]*)">${verb}</a>`).exec(overview)?.[1]?.replaceAll('&#38;', '&') ??
    ''
  expect(hrefOf('See which')).toContain('state=exhausted')
  const list = await show(hrefOf('See which'))
  expect(list).toContain(`/deliveries/${recent.id}`)
  expect(list).not.toContain(`/deliveries/${old.id}`)
  expect(await show(hrefOf('Recover them'))).toMatch(/<button class="primary">Send \d again/)
})

test('however much needs attention, each is a link', () => {
  const items = Array.from({ length: 23 }, (_, index) => ({
    kind: 'warn' as const,
    text: `Trouble ${index}.`,
    verb: 'Mend it',
    path: `/connections/c-${index}`,
  }))
  const { text } = attentionCard({ items, lookedAt: api.clock.now().toISOString() }, { basePath: '/t', isAdmin: false })
  expect(text).toContain('<summary>and 3 more</summary>')
  for (const { path } of items) expect(text).toContain(`<a href="/t${path}">Mend it</a>`)
})

test('what many tabs ask for within five seconds is counted once', async () => {
  api.clock.advance(10_000)
  const statements = watchStatements()
  await Promise.all(Array.from({ length: 10 }, () => show()))
  expect(statements('day.read')).toBe(1)
  expect(statements('import.count_attention')).toBe(1)
  api.clock.advance(5_000)
  await show()
  expect(statements('day.read')).toBe(2)
})

/** How many statements of a name this process has sent since. */
function watchStatements(): (name: string) => number {
  const { pool } = api.database
  const seen: string[] = []
  const { query } = pool
  pool.query = ((...args: unknown[]) => {
    const [first] = args as [string | { text: string }]
    seen.push(typeof first === 'string' ? first : first.text)
    return (query as (...all: unknown[]) => unknown).apply(pool, args)
  }) as typeof pool.query
  return (name) => seen.filter((text) => text.includes(`/* ${name} */`)).length
}

describe.skipIf(!hasBrowser)(`in Chromium (${executablePath})`, () => {
  const withPage = useBrowser(api)

  /** How many rows the list has, over all its pages. */
  async function listed(page: Page): Promise<number> {
    let count = await page.locator('main tbody tr').count()
    const next = page.getByRole('link', { name: 'Next page' })
    while ((await next.count()) > 0) {
      await Promise.all([page.waitForURL(/after=/), next.click()])
      count += await page.locator('main tbody tr').count()
    }
    return count
  }

  test('a bar opens the list of its day and outcome, which has as many imports as the bar says', async () => {
    const { id } = await api.connection()
    await end(id, 5, ['failed', 'failed', 'failed', 'succeeded'])
    await end(
      id,
      7,
      Array.from({ length: 60 }, () => 'succeeded'),
    )
    api.clock.advance(10_000)
    await withPage(async (page) => {
      await signIn(page, `${api.url}/`)
      await lookAround(page, 'overview')
      for (const [daysAgo, outcome] of [
        [5, 'failed'],
        [7, 'succeeded'],
      ] as const) {
        await page.goto(`${api.url}/`)
        const day = after(api.clock.now(), -daysAgo * dayMs - 60_000)
          .toISOString()
          .slice(0, 10)
        const bar = page.locator(`.bars a[aria-label^="${day}: "][aria-label$=" ${outcome}"]`)
        const count = Number(/: ([\d,]+) /.exec((await bar.getAttribute('aria-label')) ?? '')?.[1])
        expect(count).toBeGreaterThanOrEqual(3)
        await bar.click()
        await page.waitForURL(/\/imports\?finishedAfter=/)
        expect(await listed(page)).toBe(count)
        await page.goto(`${api.url}/`)
        await page.getByText('As a table').click()
        const row = page.locator('.outcomes tbody tr', { hasText: day })
        await row
          .locator('a')
          .nth(outcome === 'succeeded' ? 0 : outcomes.indexOf(outcome) - 1)
          .click()
        await page.waitForURL(/\/imports\?finishedAfter=/)
      }
    })
  })
})
