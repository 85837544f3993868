import { expect, test } from 'vitest'
import type { WebhookEvent } from '../../packages/client/src/index.ts'
import { webhookSample } from '../../src/app/webhook-sample.ts'
import { eventTypes } from '../../src/model/event-types.ts'
import { isOver } from '../../src/model/import-state.ts'

test.each([...eventTypes, 'webhook.test'] as const)('the sample of %s agrees with itself', (type) => {
  const at = new Date()
  const sample = webhookSample(type, at) as unknown as WebhookEvent
  expect(sample).toMatchObject({ type, timestamp: at.toISOString() })
  if (!type.startsWith('import.')) return expect(sample.sequence).toBeNull()
  const { state, finishedAt } = sample.data as { state: 'running'; finishedAt: string | null }
  expect(finishedAt !== null).toBe(isOver(state))
  const named = type.replace('import.', '')
  if (['queued', 'running', 'succeeded', 'partial', 'failed', 'canceled', 'lost', 'stopped'].includes(named))
    expect(state).toBe(named)
})
