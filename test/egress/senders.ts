// Owns the two that go out, as the guard's tests use them: what becomes of a request to a URL, as one word.
import { systemClock } from '../../src/base/clock.ts'
import { send } from '../../src/delivering/send.ts'
import type { Agents } from '../../src/egress/agents.ts'
import { createProviderClient, ProviderError } from '../../src/providers/client.ts'
import { readPlainError } from '../../src/providers/error-body.ts'

/** `answered`, or the kind of failure. */
export type Ask = (url: string) => Promise<string>

export const senders: { name: string; through(agents: Agents): Ask }[] = [
  { name: 'the webhook sender', through: webhookSender },
  { name: 'the provider client', through: providerClient },
]

function webhookSender(agents: Agents): Ask {
  return async (url) => {
    const result = await send({ agents, clock: systemClock }, { url, headers: {}, body: '{}' }, neverAborted())
    if (result === 'aborted') return result
    return result.outcome === 'delivered' ? 'answered' : result.outcome
  }
}

function providerClient(agents: Agents): Ask {
  const client = createProviderClient({ agents, clock: systemClock })
  const asking = { signal: neverAborted(), credentials: {}, read: (body: unknown) => body, readError: readPlainError }
  return async (url) => {
    try {
      await client.send(url, { path: '/job', headers: {} }, asking)
      return 'answered'
    } catch (error) {
      if (error instanceof ProviderError) return error.kind
      throw error
    }
  }
}

function neverAborted(): AbortSignal {
  return new AbortController().signal
}
