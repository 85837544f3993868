// Owns the reasons why a request isn't a webhook of ours.

/**
 * - `missing_header`: `webhook-id`, `webhook-timestamp` or `webhook-signature` is missing. The request is no webhook.
 * - `invalid_timestamp`: `webhook-timestamp` isn't a whole number of seconds.
 * - `timestamp_too_old`, `timestamp_too_new`: the signature is older, or further in the future, than the tolerance.
 *   Somebody replays an old webhook, or one of the two clocks is wrong.
 * - `no_matching_signature`: none of the signatures is by any of the secrets. The secret isn't the endpoint's, or the
 *   body isn't the bytes that were sent (such as JSON that was parsed and serialised again).
 * - `invalid_body`: the signature is right, but the body isn't the JSON of an event.
 */
export type WebhookVerificationCode =
  | 'missing_header'
  | 'invalid_timestamp'
  | 'timestamp_too_old'
  | 'timestamp_too_new'
  | 'no_matching_signature'
  | 'invalid_body'

/** A request that can't be trusted as a webhook. Answer it with 400. Decide by `code`; the message is for people. */
export class WebhookVerificationError extends Error {
  override name = 'WebhookVerificationError'
  readonly code: WebhookVerificationCode

  constructor(code: WebhookVerificationCode, message: string) {
    super(message)
    this.code = code
  }
}
