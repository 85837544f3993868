import { describe, expect, test, vi } from 'vitest'
import { describeEachStore } from '../support/stores.ts'
import { useService } from '../support/worlds/service.ts'
import { executablePath, hasBrowser, signIn, useBrowser } from './browser.ts'

describe.skipIf(!hasBrowser)(`in Chromium (${executablePath})`, () => {
  describeEachStore('a test of an endpoint', (store) => {
    const world = useService(store)
    const withPage = useBrowser({
      get url() {
        return world.service.url
      },
    })

    test('says how long it waits at most, and shows the answer within a second of it', async () => {
      const answers: (() => void)[] = []
      const consumer = await world.consumer({ types: ['import.failed'] }, (response) => {
        answers.push(() => response.writeHead(204).end())
      })
      const shown: number[] = []
      await withPage(async (page) => {
        const endpoint = `${world.service.url}/webhooks/${consumer.endpointId}`
        await signIn(page, endpoint)
        for (let round = 0; round < 3; round++) {
          await page.goto(endpoint)
          await page.getByRole('button', { name: 'Send a test' }).click()
          await page.getByText(/waiting for the receiver’s answer, at most \d+ seconds? more/).waitFor()
          await vi.waitFor(() => expect(answers).toHaveLength(1))
          // The page's own clock says when: how long the test takes to look again is no part of it.
          const answeredAt = await page.evaluate(`new MutationObserver(() => {
            if (document.querySelector('.lead').textContent.includes('delivered')) window.shownAt ??= performance.now()
          }).observe(document.body, { subtree: true, childList: true, characterData: true })
          performance.now()`)
          answers.pop()?.()
          const shownAt = await vi.waitUntil(() => page.evaluate('window.shownAt'))
          shown.push(Number(shownAt) - Number(answeredAt))
        }
      })
      // A machine may be busy once, not three times.
      expect(Math.min(...shown), `${shown}`).toBeLessThan(1_000)
    })

    // A machine may be busy once, not three times.
    test('shows within a second that the time for an answer is over', { retry: 2 }, async () => {
      const consumer = await world.consumer({ types: ['import.failed'] }, () => {})
      await withPage(async (page) => {
        await signIn(page, `${world.service.url}/webhooks/${consumer.endpointId}`)
        await page.getByRole('button', { name: 'Send a test' }).click()
        await page.getByText(/waiting for the receiver’s answer, at most \d+ seconds? more/).waitFor()
        await page.evaluate(`new MutationObserver(() => {
          if (document.querySelector('#attempts + *').textContent.includes('timeout')) window.shownAt ??= Date.now()
        }).observe(document.body, { subtree: true, childList: true, characterData: true })`)
        const shownAt = Number(await vi.waitUntil(() => page.evaluate('window.shownAt')))
        const [attempt] = await world.sql(
          `SELECT extract(epoch FROM started_at)::float8 * 1000 + duration_ms AS "endedAt" FROM delivery_attempts WHERE delivery_id = $1`,
          [new URL(page.url()).pathname.split('/').at(-1)],
        )
        expect(shownAt - Number(attempt?.endedAt)).toBeLessThan(1_000)
      })
    })
  })
})
