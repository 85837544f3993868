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
import type { Wake } from '../../work/wake.ts'
import { noStore } from '../security-headers.ts'
import { endpointForm, endpointInput, newEndpointForm } from './endpoint-form.ts'
import { endpointHealth } from './endpoint-health.ts'
import { type Form, postedForm } from './form.ts'
import { type PageGuardDeps, principalOf, requireSignIn, type Viewer } from './guard.ts'
import { type Html, html } from './html.ts'
import { page } from './layout.ts'
import { justDone, notice, toldOn } from './notice.ts'
import { paging, placeIn } from './paging.ts'
import { answerForm, forForms } from './posted.ts'

const shownEndpoints = 200
const refreshSeconds = 5

export interface WebhookDeps extends PageGuardDeps {
  db: Database
  clock: Clock
  encryption: Encryption
  /** The rules for the destinations of webhooks. */
  checkDestination: CheckDestination
  wake: Wake
}

export function mountWebhooks(app: IRouter, deps: WebhookDeps): void {
  const { basePath, clock } = deps

  async function list(viewer: Viewer, form: Form, query = new URLSearchParams(), told: Html | null = null) {
    const { data, next } = await listEndpoints(deps, { limit: shownEndpoints, ...Object.fromEntries(query) })
    const waiting = await countDue(
      deps,
      data.map(({ id }) => id),
    )
    const body = html`${told}<h1>Webhooks</h1>
<section class="card" aria-label="Endpoints">${
      data.length === 0
        ? html`<p>Nobody is told of anything yet${allows(viewer.scope, 'admin') ? html`: <a href="#new">add an endpoint</a>` : null}.</p>`
        : html`<table class="stack"><caption class="visually-hidden">Webhook endpoints</caption>
<thead><tr><th scope="col">Endpoint</th><th scope="col">Health</th><th scope="col">Gets</th></tr></thead>
<tbody>${data.map((one) => endpointRow(one, waiting.get(one.id) ?? 0, basePath, clock.now()))}</tbody></table>${paging(next, { path: `${basePath}/webhooks`, query })}`
    }</section>
${allows(viewer.scope, 'admin') ? html`<section class="card" aria-labelledby="new"><h2 id="new">New endpoint</h2>${endpointForm(form, { action: `${basePath}/webhooks`, back: null, stored: null, seen: null })}</section>` : null}`
    const isAnswer = form.refusal !== null
    const live = isAnswer ? { isAnswer } : { refreshSeconds }
    return page({ title: 'Webhooks', body, basePath, viewer, section: '/webhooks', ...live })
  }

  app.get('/webhooks', noStore, requireSignIn(deps, 'read'), async (request, response) => {
    const gone = await justDone(deps, request, response, ({ verb }) => verb === 'endpoint.delete')
    response.type('html')
    response.send(await list(principalOf(response), newEndpointForm(), placeIn(request.query), notice(gone)))
  })

  app.post('/webhooks', ...forForms(deps, 'admin'), async (request, response) => {
    const form = postedForm(request)
    const { errors, keptHeaders: _none, ...fields } = endpointInput(form, null)
    await answerForm(deps, request, response, {
      act: (by) => {
        const input = parse(createEndpointSchema, fields, 'form')
        if (errors.length > 0) throw new AppError('invalid_request', 'The form has to be mended.', errors)
        return createEndpoint({ ...deps, by }, input)
      },
      next: (done) => toldOn(`/webhooks/${done.action?.subject.id}/secret`, done),
      again: (refusal) => list(principalOf(response), form.refused(refusal)),
    })
  })
}

function endpointRow(one: ApiEndpoint, waiting: number, basePath: string, now: Date): Html {
  return html`<tr>
<td data-label="Endpoint" class="wrap"><a href="${basePath}/webhooks/${one.id}">${shownUrl(one.url)}</a></td>
<td data-label="Health"><span>${endpointHealth(one, waiting, now)}</span></td>
<td data-label="Gets"><span>${one.types.length} of ${eventTypes.length} types<small>${one.connections === null ? '' : ` of ${one.connections.join(', ')}`}</small></span></td>
</tr>`
}
