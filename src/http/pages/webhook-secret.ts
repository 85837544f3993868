// Owns the page that shows an endpoint's secret to who has just made it, beside what verifies webhooks with it.
import type { IRouter } from 'express'
import type { ActionVerb } from '../../actions/verbs.ts'
import { AppError } from '../../api/refusal.ts'
import type { ApiEndpointWithSecret } from '../../webhooks/endpoints/present.ts'
import { makingSecrets, showSecret } from '../../webhooks/endpoints/show-secret.ts'
import { shownUrl } from '../../webhooks/endpoints/shown-url.ts'
import { noStore } from '../security-headers.ts'
import { principalOf, requireSignIn } from './guard.ts'
import { type Html, html, lines } from './html.ts'
import { page } from './layout.ts'
import { justDone } from './notice.ts'
import { endpointIdOf } from './webhook-path.ts'
import type { WebhookDeps } from './webhooks.ts'

/** The address is known to who made the secret alone, and leads to it for as long as that is news. */
export function mountWebhookSecret(app: IRouter, deps: WebhookDeps): void {
  const { basePath } = deps
  app.get('/webhooks/:id/secret', noStore, requireSignIn(deps, 'admin'), async (request, response) => {
    const id = endpointIdOf(request)
    const isMaking = (verb: ActionVerb) => makingSecrets.some((one) => one === verb)
    const made = await justDone(deps, request, response, ({ verb, subject }) => isMaking(verb) && subject.id === id)
    if (made === null)
      throw new AppError('not_found', 'A secret is shown only to who has just made it. If it is lost, make a new one.')
    const one = await showSecret(deps, made)
    const [title, text] =
      made.verb === 'endpoint.create'
        ? ['A new endpoint', 'gets its events from now on.']
        : ['A new secret', 'is signed to with a new secret from now on.']
    const body = secretPage(one, { basePath, title, text })
    response.type('html').send(page({ title, body, basePath, viewer: principalOf(response), section: '/webhooks' }))
  })
}

function secretPage(
  { id, url, secret }: ApiEndpointWithSecret,
  { basePath, title, text }: { basePath: string; title: string; text: string },
): Html {
  return html`<h1>${title}</h1>
<section class="card"><p><code>${shownUrl(url)}</code> ${text}</p>
<h2>Its secret, shown this once</h2>
<p><code class="secret">${secret}</code> <button type="button" class="small" data-copy="${secret}" hidden>Copy</button></p>
<p>Keep it where the receiver finds it, such as in <code>WEBHOOK_SECRET</code>, and verify with it what arrives.</p>
<h2>In TypeScript</h2>
<pre tabindex="0">${lines(typescript)}</pre>
<h2>In Python</h2>
<pre tabindex="0">${lines(python)}</pre>
<p><a class="button primary" href="${basePath}/webhooks/${id}">To the endpoint</a></p></section>`
}

export const typescript = `import { verifyWebhook } from 'import-tracker-client'

// \`body\` are the raw bytes of the request, before anything parses them.
const event = verifyWebhook(body, request.headers, process.env.WEBHOOK_SECRET)
if (event.type === 'import.partial') console.log(event.data.jobId)`

/** As the documentation has it, which a test runs. */
export const python = `import base64, hashlib, hmac, time


def verify_webhook(body: bytes, headers, secrets, tolerance_s=300):
    """True if the webhook is ours, False for anything else that somebody sends.

    \`body\` is the raw request body. \`secrets\` is one secret, or a list of several while one is rotated.
    Raises ValueError where there is no secret, or one that can't be: that is your mistake, not the sender's.
    """
    keys = [webhook_key(secret) for secret in (secrets if isinstance(secrets, (list, tuple)) else [secrets])]
    if not keys:
        raise ValueError("There is no secret to verify webhooks with.")
    sent = [headers.get(name) for name in ("webhook-id", "webhook-timestamp", "webhook-signature")]
    if not isinstance(body, bytes) or not all(isinstance(text, str) and text.isascii() for text in sent):
        return False
    webhook_id, timestamp, signatures = sent
    if not timestamp.isdigit() or len(timestamp) > 12 or abs(time.time() - int(timestamp)) > tolerance_s:
        return False
    signed = f"{webhook_id}.{timestamp}.".encode() + body
    is_ours = False
    for key in keys:
        expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        for signature in signatures.split(" "):
            is_ours |= hmac.compare_digest(expected, signature)
    return is_ours


def webhook_key(secret):
    encoded = secret.removeprefix("whsec_") if isinstance(secret, str) else ""
    key = base64.b64decode(encoded, validate=True)
    if not key:
        raise ValueError("A webhook secret is whsec_ and base64, as the endpoint was created with.")
    return key`
