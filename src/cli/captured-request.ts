// Owns judging a webhook that was captured as text: which check it fails, and why. Pure.
import { verifyWebhook, type WebhookEvent, WebhookVerificationError } from '../../packages/client/src/index.ts'
import { timeText } from './list.ts'

export interface CapturedRequest {
  /** By their names in lower case. Those that came several times are joined. */
  headers: Record<string, string>
  body: Buffer
}

/** One of the checks, in the order in which they are made. */
export interface Check {
  isRight: boolean
  text: string
}

export interface Judging {
  secret: string
  now: Date
  toleranceS: number
}

/**
 * Reads an HTTP request: a request line if there is one, headers, an empty line, the body. Lines of the head may begin
 * with `> `, as curl prints them.
 */
export function readCapturedRequest(text: Buffer): CapturedRequest {
  const latin = text.toString('latin1')
  const { 0: gap = '', index = text.length } = /\r?\n(?:> ?)?\r?\n/.exec(latin) ?? {}
  const headers: Record<string, string> = {}
  for (const line of latin.slice(0, index).split(/\r?\n/)) {
    const [, name = '', value = ''] = /^(?:> )?([!#$%&'*+.^_`|~\w-]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? []
    if (name === '') continue
    const key = name.toLowerCase()
    headers[key] = headers[key] === undefined ? value : `${headers[key]} ${value}`
  }
  return { headers, body: text.subarray(index + gap.length) }
}

/** Makes all checks, so that one mistake doesn't hide another. The request is right if all of them are. */
export function judge(
  { headers, body }: CapturedRequest,
  judging: Judging,
): { checks: Check[]; event: WebhookEvent | null } {
  const missing = ['webhook-id', 'webhook-timestamp', 'webhook-signature'].filter((name) => !headers[name])
  if (missing.length > 0) {
    const checks = missing.map((name) => wrong(`missing_header: there is no ${name} header.`))
    return { checks, event: null }
  }
  const versions = versionsOf(headers['webhook-signature'] ?? '')
  const checks = [
    right('webhook-id, webhook-timestamp and webhook-signature are there.'),
    timeCheck(headers['webhook-timestamp'] ?? '', judging),
    versions.includes('v1')
      ? right('webhook-signature has a signature of version v1.')
      : wrong(
          `wrong_version: webhook-signature has no signature of version v1, only ${versions.join(', ') || 'others'}.`,
        ),
  ]
  if (!versions.includes('v1')) return { checks, event: null }
  const outcome = verified({ headers, body }, judging)
  if (outcome.event === null) return { checks: [...checks, wrong(outcome.reason)], event: null }
  return { checks: [...checks, right('The signature is by this secret, over this body.')], event: outcome.event }
}

function timeCheck(timestamp: string, { now, toleranceS }: Judging): Check {
  if (!/^\d{1,12}$/.test(timestamp))
    return wrong(`invalid_timestamp: webhook-timestamp must be a whole number of seconds, such as ${seconds(now)}.`)
  const ageS = seconds(now) - Number(timestamp)
  const at = new Date(Number(timestamp) * 1_000)
  const span = timeText('relative', now)(at.toISOString())
  if (ageS > toleranceS)
    return wrong(
      `timestamp_too_old: it was signed ${span} ago, and ${toleranceS} s are allowed. ` +
        `--at ${at.toISOString()} judges it as of then.`,
    )
  if (-ageS > toleranceS)
    return wrong(
      `timestamp_too_new: it is signed ${span} from now, and ${toleranceS} s are allowed. One of the clocks is wrong.`,
    )
  return right(`It was signed at ${at.toISOString()}, within ${toleranceS} s.`)
}

function seconds(date: Date): number {
  return Math.floor(date.getTime() / 1_000)
}

/** Signatures are separated by spaces, each a version, a comma and base64. */
function versionsOf(signatures: string): string[] {
  const versions = signatures.split(' ').map((signature) => /^([\w.-]{1,20}),./.exec(signature)?.[1])
  return [...new Set(versions.filter((version) => version !== undefined))]
}

/** Judges the signature and the body alone. */
function verified(
  { headers, body }: CapturedRequest,
  judging: Judging,
): { event: WebhookEvent } | { event: null; reason: string } {
  const now = new Date(Number(headers['webhook-timestamp']) * 1_000) // the time has a check of its own
  const attempt = (bytes: Buffer) => verifyWebhook(bytes, headers, judging.secret, { now })
  try {
    return { event: attempt(body) }
  } catch (error) {
    if (!(error instanceof WebhookVerificationError)) throw error
    if (error.code === 'invalid_timestamp')
      return { event: null, reason: 'The signature can’t be checked without a time.' }
    if (error.code !== 'no_matching_signature') return { event: null, reason: `${error.code}: ${error.message}` }
  }
  const change = variants(body).find(([, bytes]) => {
    try {
      return attempt(bytes) !== null
    } catch {
      return false
    }
  })
  return { event: null, reason: change ? `changed_body: ${change[0]}` : unmatched({ headers, body }) }
}

/** What becomes of bodies on their way, and the body as it would have been before. */
function variants(body: Buffer): [told: string, body: Buffer][] {
  const text = body.toString()
  const trimmed = text.replace(/\r?\n$/, '')
  return [
    ['there is a line break after the body that wasn’t sent. Without it the signature is right.', trimmed],
    ['white space around the body wasn’t sent. Without it the signature is right.', text.trim()],
    ['its line breaks were changed. With LF alone the signature is right.', text.replaceAll('\r\n', '\n')],
    ['the JSON was parsed and written again. Verify the bytes as they came.', compact(text)],
    ['it is text that was decoded wrongly, and isn’t the bytes that came.', Buffer.from(text, 'latin1').toString()],
  ]
    .filter(([, other]) => other !== text)
    .map(([told = '', other = '']) => [told, Buffer.from(other)])
}

function compact(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text))
  } catch {
    return text
  }
}

function unmatched({ headers, body }: CapturedRequest): string {
  const announced = headers['content-length']
  if (announced !== undefined && announced !== String(body.length))
    return `changed_body: it has ${body.length} bytes, and content-length says ${announced}: it was changed, or cut.`
  return (
    'no_matching_signature: no signature is by this secret over this body. Either the secret is another one: compare ' +
    `it with the endpoint’s, which may have been rotated. Or the body was changed${announced ? ', and kept its length' : ''}.`
  )
}

function right(text: string): Check {
  return { isRight: true, text }
}

function wrong(text: string): Check {
  return { isRight: false, text }
}
