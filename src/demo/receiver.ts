// Owns the consumer's side of webhooks: a server that verifies each one and recognises repeated ones by their id.
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { verifyWebhook, WebhookVerificationError } from '../../packages/client/src/index.ts'

export interface ReceivedEvent {
  /** The same on every attempt. */
  id: string
  type: string
  /** Null: the event has no import. */
  importId: string | null
  /** How often the event came. */
  times: number
}

export interface Receiver {
  url: string
  /** Sets the endpoint's secret, which is known only once the endpoint exists. */
  setSecret(secret: string): void
  /** Returns the events whose signature proved right, by id. */
  events(): ReadonlyMap<string, ReceivedEvent>
  /** Returns how many webhooks had a wrong signature. */
  refused(): number
  close(): Promise<void>
}

/** The path of the receiver, in this run and in earlier ones. */
export const receiverPath = '/import-tracker-demo'

/** Starts the receiver. It answers the first webhook with 500, although it is fine, so that one comes twice. */
export async function startReceiver(): Promise<Receiver> {
  const events = new Map<string, ReceivedEvent>()
  let secret: string | null = null
  let refused = 0

  const receive = async (request: IncomingMessage): Promise<number> => {
    const event = verified(secret, await buffer(request), request)
    if (event === null) {
      refused++
      return 400
    }
    const known = events.get(event.id)
    if (known) known.times++
    else events.set(event.id, event)
    return events.size === 1 && !known ? 500 : 204
  }
  const server = createServer((request, response) => {
    receive(request).then(
      (status) => response.writeHead(status).end(),
      () => response.destroy(), // the sender left
    )
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${receiverPath}`,
    setSecret(next) {
      secret = next
    },
    events: () => events,
    refused: () => refused,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
    },
  }
}

/** Returns null if the request isn't signed with our secret, or its time is off. */
function verified(secret: string | null, body: Buffer, { headers }: IncomingMessage): ReceivedEvent | null {
  if (secret === null) return null
  try {
    const { id, type, data } = verifyWebhook(body, headers, secret)
    return { id, type, importId: 'jobId' in data ? data.id : null, times: 1 }
  } catch (error) {
    if (error instanceof WebhookVerificationError) return null
    throw error
  }
}
