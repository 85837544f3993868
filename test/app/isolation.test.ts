import { expect, test, vi } from 'vitest'
import { describeEachStore } from '../support/stores.ts'
import { hasty, useService } from '../support/worlds/service.ts'

describeEachStore('endpoints that hang', (store) => {
  const app = useService(store)

  test('all at once, more than there are slots, do not hold up one that answers', async () => {
    const connection = await app.connect('zilliant', { limits: hasty })
    const types = ['import.succeeded']
    const hanging = await app.consumer({ types, connections: [connection] }, () => {})
    const body = { url: `${hanging.receiver.url}/hooks`, types, connections: [connection] }
    for (let count = 1; count < 150; count++) await app.call('POST /v1/webhook-endpoints', {}, { body })
    const answering = await app.consumer({ types, connections: [connection] })
    await app.sql('UPDATE webhook_endpoints SET last_success_at = now()') // all did, until now
    const first = await app.track(connection, { provider: 'zilliant', durationMs: 0 })
    await app.over(first.id)
    await vi.waitFor(() => expect(hanging.receiver.received).toHaveLength(150), 10_000)

    for (let count = 0; count < 3; count++) await app.track(connection, { provider: 'zilliant', durationMs: 0 })
    const startedAt = performance.now()
    await vi.waitFor(() => expect(answering.webhooks()).toHaveLength(4), { interval: 50 })
    expect(performance.now() - startedAt).toBeLessThan(8_000) // an attempt that hangs takes 15 s
    expect(await app.sql(`SELECT 1 FROM delivery_attempts WHERE outcome = 'timeout'`)).toEqual([])
  })
})
