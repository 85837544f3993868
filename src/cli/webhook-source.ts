// Owns where `webhooks listen` gets the events of a running service from: a temporary endpoint where the service may
// reach this machine, and otherwise the feed.
import type { Client, WebhookEvent } from '../../packages/client/src/index.ts'
import { ProblemError } from '../../packages/client/src/problem-error.ts'
import type { Clock } from '../base/clock.ts'
import type { eventTypes } from '../model/event-types.ts'
import { serviceTime } from './service-time.ts'
import { startWebhookReceiver } from './webhook-receiver.ts'

export interface WebhookSource {
  kind: 'endpoint' | 'feed'
  stop(): Promise<void>
  /** Settles if there will be no more events. Rejects with the reason. */
  ended: Promise<never>
}

export interface SourceOptions {
  clock: Clock
  tracker: Client
  /** The service's URL. */
  url: string
  /** 0: any free one. */
  port: number
  types: (typeof eventTypes)[number][]
  /** @param body as the service sends it. */
  onEvent(event: WebhookEvent, body: string): void
  onRefused(reason: string): void
}

/** How long the service may take to reach this machine. */
const reachMs = 5_000

export async function openSource(options: SourceOptions): Promise<WebhookSource> {
  return (isOnThisMachine(options.url) && (await openEndpoint(options))) || openFeed(options)
}

/** Returns null if the service refuses the endpoint, or can't reach it. */
async function openEndpoint(options: SourceOptions): Promise<WebhookSource | null> {
  const { tracker, types, onEvent } = options
  const reached = Promise.withResolvers<true>()
  let secret = ''
  let isOpen = false
  const receiver = await startWebhookReceiver({
    ...options,
    secret: () => secret,
    onEvent(event, body) {
      if (isOpen) onEvent(event, body)
      else if (event.type === 'webhook.test') reached.resolve(true)
    },
  })
  let endpointId: string | undefined
  const stop = async () => {
    try {
      if (endpointId !== undefined) await tracker.endpoints.delete(endpointId) // first, so that none is sent in vain
    } finally {
      await receiver.stop()
    }
  }
  try {
    const endpoint = await tracker.endpoints.create({ url: `${receiver.url}/`, types }).catch(nullIfRefused)
    if (endpoint !== null) {
      endpointId = endpoint.id
      secret = endpoint.secret
      await tracker.endpoints.test(endpoint.id)
      const late = Promise.withResolvers<false>()
      const timer = setTimeout(() => late.resolve(false), reachMs)
      isOpen = await Promise.race([reached.promise, late.promise])
      clearTimeout(timer)
    }
  } catch (error) {
    await stop().catch(() => {}) // the first error says more
    throw error
  }
  if (isOpen) return { kind: 'endpoint', stop, ended: new Promise(() => {}) }
  await stop()
  return null
}

function nullIfRefused(error: unknown): null {
  if (error instanceof ProblemError && (error.status === 400 || error.status === 403)) return null
  throw error
}

async function openFeed({ tracker, types, onEvent }: SourceOptions): Promise<WebhookSource> {
  const stopped = new AbortController()
  const after = await serviceTime(tracker, stopped.signal)
  const [type, ...others] = types
  const ended = (async () => {
    const from = { after, signal: stopped.signal, ...(others.length === 0 && { type }) }
    for await (const { importId: _, ...event } of tracker.events.follow(from)) {
      if (!(types as readonly string[]).includes(event.type)) continue
      const { id: __, ...body } = event
      onEvent(event as WebhookEvent, JSON.stringify(body))
    }
    throw new Error('The feed ended.')
  })()
  ended.catch(() => {}) // by `stop`
  return { kind: 'feed', stop: async () => stopped.abort(), ended }
}

function isOnThisMachine(url: string): boolean {
  return /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(new URL(url).hostname)
}
