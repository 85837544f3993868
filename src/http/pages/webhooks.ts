// Owns the list of webhook endpoints, and making one.
import type { IRouter } from 'express'
import { AppError } from '../../api/refusal.ts'
import { parse } from '../../api/validation.ts'
import type { Clock } from '../../base/clock.ts'
import type { Encryption } from '../../base/encryption.ts'
import type { Database } from '../../db/client.ts'
import type { CheckDestination } from '../../egress/destination.ts'
import { defaultEventTypes, eventTypes } from '../../model/event-types.ts'
import { allows } from '../../tokens/scope.ts'
import { createEndpoint } from '../../webhooks/endpoints/create.ts'
import { createEndpointSchema } from '../../webhooks/endpoints/input.ts'
import type { ApiEndpoint, ApiEndpointWithSecret } from '../../webhooks/endpoints/present.ts'
import { countDue, listEndpoints } from '../../webhooks/endpoints/read.ts'
import { requireSameOrigin } from '../same-origin.ts'
import { noStore } from '../security-headers.ts'
import { endpointHealth } from './endpoint-health.ts'
import { fieldOf, fieldsOf, readForm } from './form.ts'
import { type PageGuardDeps, principalOf, requireSignIn } from './guard.ts'
import { Html, html, lines } from './html.ts'
import { shownUrl } from './import-events.ts'
import { page } from './layout.ts'

const shownEndpoints = 200

export interface WebhookDeps extends PageGuardDeps {
  db: Database
  clock: Clock
  encryption: Encryption
  /** The rules for the destinations of webhooks. */
  checkDestination: CheckDestination
}

interface Given {
  url: string
  types: readonly string[]
  connections: string
  refusal: AppError | null
}

export function mountWebhooks(app: IRouter, deps: WebhookDeps): void {
  const { basePath, clock } = deps
  const show = (title: string, body: Html, viewer: ReturnType<typeof principalOf>) =>
    page({ title, body, basePath, viewer, section: '/webhooks' })

  async function list(viewer: ReturnType<typeof principalOf>, given: Given): Promise<string> {
    const { data } = await listEndpoints(deps, { limit: shownEndpoints })
    const waiting = await countDue(
      deps,
      data.map(({ id }) => id),
    )
    const body = html`<h1>Webhooks</h1>
<section class="card" aria-label="Endpoints">${
      data.length === 0
        ? html`<p>Nobody is told of anything yet.</p>`
        : html`<table class="stack"><caption class="visually-hidden">Webhook endpoints</caption>
<thead><tr><th scope="col">Endpoint</th><th scope="col">Health</th><th scope="col">Gets</th></tr></thead>
<tbody>${data.map((one) => endpointRow(one, waiting.get(one.id) ?? 0, basePath, clock.now()))}</tbody></table>`
    }</section>
${allows(viewer.scope, 'admin') ? createForm(basePath, given) : null}`
    return show('Webhooks', body, viewer)
  }

  app.get('/webhooks', noStore, requireSignIn(deps, 'read'), async (_request, response) => {
    const given = { url: '', types: defaultEventTypes, connections: '', refusal: null }
    response.type('html').send(await list(principalOf(response), given))
  })

  app.post(
    '/webhooks',
    noStore,
    requireSignIn(deps, 'admin'),
    requireSameOrigin,
    readForm,
    async (request, response) => {
      const given = {
        url: fieldOf(request, 'url'),
        types: fieldsOf(request, 'types'),
        connections: fieldOf(request, 'connections'),
      }
      const names = given.connections
        .split(',')
        .map((name) => name.trim())
        .filter((name) => name !== '')
      try {
        const input = { url: given.url, types: given.types, connections: names.length === 0 ? null : names }
        const made = await createEndpoint(deps, parse(createEndpointSchema, input, 'form'))
        // The secret is shown this once, so there is nothing to redirect to.
        response
          .status(201)
          .type('html')
          .send(show('A new endpoint', created(made, basePath), principalOf(response)))
      } catch (error) {
        if (!(error instanceof AppError) || error.code !== 'invalid_request') throw error
        response.type('html').send(await list(principalOf(response), { ...given, refusal: error }))
      }
    },
  )
}

function endpointRow(one: ApiEndpoint, waiting: number, basePath: string, now: Date): Html {
  return html`<tr>
<td data-label="Endpoint" class="wrap"><a href="${basePath}/webhooks/${one.id}">${shownUrl(one.url)}</a></td>
<td data-label="Health"><span>${endpointHealth(one, waiting, now)}</span></td>
<td data-label="Gets"><span>${one.types.length} of ${eventTypes.length} types<small>${one.connections === null ? '' : ` of ${one.connections.join(', ')}`}</small></span></td>
</tr>`
}

function createForm(basePath: string, { url, types, connections, refusal }: Given): Html {
  const chosen = new Set(types)
  return html`<section class="card" aria-labelledby="new"><h2 id="new">New endpoint</h2>
${refusal === null ? null : html`<ul role="alert">${refusal.errors.map(({ field, message }) => html`<li class="complaint">${field} ${message}</li>`)}</ul>`}
<form method="post" action="${basePath}/webhooks" class="form">
<div class="fields">
<label class="wide">URL <input name="url" type="url" required placeholder="https://example.com/hooks" value="${url}"></label>
<label>Connections, comma-separated <input name="connections" placeholder="all" value="${connections}"></label>
</div>
<fieldset class="choices"><legend>Event types</legend>${eventTypes.map(
    (type) =>
      html`<label class="choice"><input type="checkbox" name="types" value="${type}" ${chosen.has(type) ? new Html('checked') : null}>${type}</label>`,
  )}</fieldset>
<div class="actions"><button class="primary">Create the endpoint</button></div>
</form></section>`
}

function created({ id, url, secret }: ApiEndpointWithSecret, basePath: string): Html {
  const snippet = `import { verifyWebhook } from 'import-tracker-client'

// \`body\` are the raw bytes of the request, before anything parses them.
const event = verifyWebhook(body, request.headers, process.env.WEBHOOK_SECRET)
if (event.type === 'import.partial') console.log(event.data.jobId)`
  return html`<h1>A new endpoint</h1>
<section class="card"><p><code>${url}</code> gets its events from now on.</p>
<h2>Its secret, shown this once</h2>
<p><code class="secret">${secret}</code> <button type="button" class="small" data-copy="${secret}" hidden>Copy</button></p>
<p>Keep it where the receiver finds it, such as in <code>WEBHOOK_SECRET</code>, and verify with it what arrives:</p>
<pre>${lines(snippet)}</pre>
<p><a class="button" href="${basePath}/webhooks/${id}">To the endpoint</a></p></section>`
}
