// Owns the command `webhooks listen`: its secret, and what it prints.
import type { Clock } from '../base/clock.ts'
import { ConfigError } from '../config/config.ts'
import { eventLine } from './event-line.ts'
import { startWebhookReceiver, type WebhookReceiver } from './webhook-receiver.ts'

export interface ListenOptions {
  port: number
  /** The endpoint's secret, `whsec_…`. It is never printed. */
  secret: string | undefined
  /** True: prints the bodies as they came, instead of lines for people. */
  json: boolean
}

/** Receives webhooks on this machine and prints the verified ones. Refused requests are reported on stderr. */
export function listen(clock: Clock, { port, secret, json }: ListenOptions): Promise<WebhookReceiver> {
  if (secret === undefined || !/^whsec_[A-Za-z0-9+/]+={0,2}$/.test(secret))
    throw new ConfigError(
      'WEBHOOK_SECRET, or --secret, must be the secret that the endpoint was created with: whsec_….',
    )
  return startWebhookReceiver({
    clock,
    port,
    secret,
    onEvent: (event, body) => console.log(json ? body : eventLine(event, clock.now())),
    onRefused: (reason) => console.error(`${clock.now().toISOString()} refused: ${reason}`),
  })
}
