// Owns the command `webhooks listen`: what it receives, what it prints, and what it forwards.
import type { Client, WebhookEvent } from '../../packages/client/src/index.ts'
import type { Clock } from '../base/clock.ts'
import type { eventTypes } from '../model/event-types.ts'
import { newSecret } from '../webhooks/signing.ts'
import { problemLines } from './at-service.ts'
import { eventLine } from './event-line.ts'
import { sendWebhook } from './send-webhook.ts'
import { startWebhookReceiver } from './webhook-receiver.ts'
import { readSecret } from './webhook-secret.ts'
import { openSource } from './webhook-source.ts'

export interface ListenOptions {
  port: number
  /** `whsec_…`: of the endpoint that is received, or what signs forwarded webhooks. It is never printed. */
  secret: string | undefined
  /** True: prints the bodies as they came, instead of lines for people. */
  json: boolean
  forwardTo?: string
  types: (typeof eventTypes)[number][]
}

export interface Listening {
  /** Says where webhooks come from and go to, a line each. */
  told: string[]
  stop(): Promise<void>
  ended?: Promise<{ because: string; failed: boolean }>
}

/** Receives an endpoint's webhooks on this machine, and prints the verified ones. Refused requests go to stderr. */
export async function receive(clock: Clock, { port, secret, json }: ListenOptions): Promise<Listening> {
  const known = readSecret(secret)
  const { url, stop } = await startWebhookReceiver({
    clock,
    port,
    secret: () => known,
    onEvent: (event, body) => print(clock, json, event, body),
    onRefused: (reason) => console.error(`${clock.now().toISOString()} refused: ${reason}`),
  })
  return { told: [`Webhooks are received on ${url}.`], stop }
}

/** Gets the webhooks of a running service, prints them, and forwards them, one after the other. */
export async function listen(
  { clock, tracker, url }: { clock: Clock; tracker: Client; url: string },
  { port, secret: given, json, forwardTo, types }: ListenOptions,
): Promise<Listening> {
  const secret = given === undefined ? newSecret() : readSecret(given)
  const stopping = new AbortController()
  let forwarded = Promise.resolve()
  const forward = async (event: WebhookEvent, body: string) => {
    if (forwardTo === undefined || stopping.signal.aborted) return
    const { text } = await sendWebhook({ clock, to: forwardTo, secret }, { id: event.id, body }, stopping.signal)
    if (!stopping.signal.aborted) (json ? console.error : console.log)(`  ${event.type} ${event.id}: ${text}`)
  }
  const source = await openSource({
    ...{ clock, tracker, url, port, types },
    onEvent(event, body) {
      print(clock, json, event, body)
      forwarded = forwarded.then(() => forward(event, body))
    },
    onRefused: (reason) => console.error(`${clock.now().toISOString()} refused: ${reason}`),
  })
  const from = source.kind === 'endpoint' ? 'through an endpoint that lasts until Ctrl-C' : 'by its feed'
  const how = given === undefined ? `with the secret ${secret}` : 'with the secret that you gave'
  return {
    told: [
      `Events of ${url} come ${from}.`,
      ...(forwardTo === undefined ? [] : [`They go to ${forwardTo}, signed ${how}.`]),
    ],
    async stop() {
      stopping.abort()
      await source.stop()
      await forwarded
    },
    ended: source.ended.catch((error) => {
      if (!stopping.signal.aborted) for (const line of problemLines(error)) console.error(line)
      return { because: 'there are no more events', failed: true }
    }),
  }
}

function print(clock: Clock, json: boolean, event: WebhookEvent, body: string): void {
  console.log(json ? body : eventLine(event, clock.now()))
}
