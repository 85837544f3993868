// Owns the command `webhooks trigger`: a sample of an event, signed and sent.
import { webhookSample } from '../app/webhook-sample.ts'
import type { Clock } from '../base/clock.ts'
import { newId } from '../base/ids.ts'
import type { EventType } from '../model/event-types.ts'
import { newSecret } from '../webhooks/signing.ts'
import { exitCodes } from './exit-code.ts'
import { sendWebhook } from './send-webhook.ts'
import { readSecret } from './webhook-secret.ts'

/** Returns the status: 0 if the receiver took it. */
export async function trigger(
  clock: Clock,
  type: EventType,
  { to, secret: given, json }: { to: string; secret: string | undefined; json: boolean },
): Promise<number> {
  const secret = given === undefined ? newSecret() : readSecret(given)
  const body = JSON.stringify(webhookSample(type, clock.now()))
  if (given === undefined) console.error(`It is signed with the secret ${secret}.`)
  if (json) console.log(body)
  const id = newId()
  const { isOk, text } = await sendWebhook({ clock, to, secret }, { id, body })
  ;(json ? console.error : console.log)(`${type} ${id} to ${to}: ${text}`)
  return isOk ? 0 : exitCodes.failure
}
