// Owns the list of webhook endpoints, and making one.
import type { IRouter } from 'express'
import { AppError } from '../../api/refusal.ts'
import { parse } from '../../api/validation.ts'
import type { Clock } from '../../base/clock.ts'
import type { Encryption } from '../../base/encryption.ts'
import type { Database } from '../../db/client.ts'
import type { CheckDestination } from '../../egress/destination.ts'
import { eventTypes } from '../../model/event-types.ts'
import { allows } from '../../tokens/scope.ts'
import { createEndpoint } from '../../webhooks/endpoints/create.ts'
import { createEndpointSchema } from '../../webhooks/endpoints/input.ts'
import type { ApiEndpoint } from '../../webhooks/endpoints/present.ts'
import { countDue, listEndpoints } from '../../webhooks/endpoints/read.ts'
import { shownUrl } from '../../webhooks/endpoints/shown-url.ts'
import { requireSameOrigin } from '../same-origin.ts'
import { noStore } from '../security-headers.ts'
import { endpointForm, endpointInput, newEndpointForm } from './endpoint-form.ts'
import { endpointHealth } from './endpoint-health.ts'
import { type Form, postedForm, readForm, tryForm } from './form.ts'
import { type PageGuardDeps, principalOf, requireSignIn } from './guard.ts'
import { type Html, html } from './html.ts'
import { page } from './layout.ts'
import { secretPage } from './webhook-secret.ts'

const shownEndpoints = 200
const refreshSeconds = 5

export interface WebhookDeps extends PageGuardDeps {
  db: Database
  clock: Clock
  encryption: Encryption
  /** The rules for the destinations of webhooks. */
  checkDestination: CheckDestination
}

export function mountWebhooks(app: IRouter, deps: WebhookDeps): void {
  const { basePath, clock } = deps
  const show = (title: string, body: Html, viewer: ReturnType<typeof principalOf>, live = {}) =>
    page({ title, body, basePath, viewer, section: '/webhooks', ...live })

  async function list(viewer: ReturnType<typeof principalOf>, form: Form): Promise<string> {
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
${allows(viewer.scope, 'admin') ? html`<section class="card" aria-labelledby="new"><h2 id="new">New endpoint</h2>${endpointForm(form, { action: `${basePath}/webhooks`, back: null, stored: null })}</section>` : null}`
    return show('Webhooks', body, viewer, form.refusal === null ? { refreshSeconds } : {})
  }

  app.get('/webhooks', noStore, requireSignIn(deps, 'read'), async (_request, response) => {
    response.type('html').send(await list(principalOf(response), newEndpointForm()))
  })

  app.post(
    '/webhooks',
    noStore,
    requireSignIn(deps, 'admin'),
    requireSameOrigin,
    readForm,
    async (request, response) => {
      const form = postedForm(request)
      const { errors, keptHeaders: _none, ...fields } = endpointInput(form, null)
      const made = await tryForm(request, async () => {
        const input = parse(createEndpointSchema, fields, 'form')
        if (errors.length > 0) throw new AppError('invalid_request', 'The form has to be mended.', errors)
        return createEndpoint({ ...deps, by: principalOf(response) }, input)
      })
      if (made instanceof AppError)
        return void response.type('html').send(await list(principalOf(response), form.refused(made)))
      const created = { basePath, title: 'A new endpoint', text: 'gets its events from now on.' }
      // The secret is shown this once, so there is nothing to redirect to.
      response
        .status(201)
        .type('html')
        .send(show('A new endpoint', secretPage(made, created), principalOf(response)))
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
