// Owns a receiver of webhooks for local development. It verifies each request and answers accordingly.
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { verifyWebhook, type WebhookEvent, WebhookVerificationError } from '../../packages/client/src/index.ts'
import type { Clock } from '../base/clock.ts'

export interface WebhookReceiver {
  url: string
  stop(): Promise<void>
}

export interface WebhookReceiverOptions {
  clock: Clock
  /** 0: any free one. */
  port: number
  /** The endpoint's, once it is known. */
  secret(): string
  /** @param body the body as it came. */
  onEvent(event: WebhookEvent, body: string): void
  /** @param reason a {@link WebhookVerificationError}'s code, or another word for the reason. */
  onRefused(reason: string): void
}

/** Twice the size limit of a webhook's body. */
const maxBodyBytes = 131_072

/** Listens on loopback alone. Answers 204 to verified webhooks, 400 to others, and 405 to any method but POST. */
export async function startWebhookReceiver(options: WebhookReceiverOptions): Promise<WebhookReceiver> {
  const server = createServer((request, response) => {
    receive(options, request).then(
      (status) => response.writeHead(status).end(),
      () => response.destroy(), // the sender left
    )
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, '127.0.0.1', resolve)
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function receive(options: WebhookReceiverOptions, request: IncomingMessage): Promise<number> {
  if (request.method !== 'POST') return refuse(options, 405, 'not_a_post')
  const body = await readBody(request)
  if (body === null) return refuse(options, 413, 'body_too_large')
  try {
    const event = verifyWebhook(body, request.headers, options.secret(), { now: options.clock.now() })
    options.onEvent(event, body.toString())
    return 204
  } catch (error) {
    if (error instanceof WebhookVerificationError) return refuse(options, 400, error.code)
    throw error
  }
}

function refuse({ onRefused }: WebhookReceiverOptions, status: number, reason: string): number {
  onRefused(reason)
  return status
}

/** Returns null if the body is larger than any webhook. */
async function readBody(request: IncomingMessage): Promise<Buffer | null> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size <= maxBodyBytes) chunks.push(chunk) // the rest is read, too, so that the client gets the answer
  }
  return size <= maxBodyBytes ? Buffer.concat(chunks) : null
}
