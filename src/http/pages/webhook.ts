// Owns the page of one webhook endpoint: its health, what it gets, and its deliveries.
import type { IRouter } from 'express'
import { AppError } from '../../api/refusal.ts'
import { tryParse } from '../../api/validation.ts'
import { allows } from '../../tokens/scope.ts'
import { listDeliveries } from '../../webhooks/deliveries/read.ts'
import { countDue, getEndpoint } from '../../webhooks/endpoints/read.ts'
import { shownUrl } from '../../webhooks/endpoints/shown-url.ts'
import { deliveryQuery } from '../routes/deliveries.ts'
import { noStore } from '../security-headers.ts'
import { changes } from './changes.ts'
import { deliveryFilter, deliveryTable } from './deliveries-table.ts'
import { endpointHealth } from './endpoint-health.ts'
import { filterComplaint } from './filter-complaint.ts'
import { at } from './format.ts'
import { principalOf, requireSignIn } from './guard.ts'
import { html } from './html.ts'
import { page } from './layout.ts'
import { justDone, notice } from './notice.ts'
import { canonicalQuery, givenIn } from './query.ts'
import { mountWebhookChange } from './webhook-change.ts'
import { endpointIdOf } from './webhook-path.ts'
import { mountResending, resendProgress } from './webhook-resend.ts'
import { mountWebhookSecret } from './webhook-secret.ts'
import { mountWebhookSteering, webhookSteering } from './webhook-steering.ts'
import type { WebhookDeps } from './webhooks.ts'

const shownDeliveries = 50
const refreshSeconds = 2

export function mountWebhook(app: IRouter, deps: WebhookDeps): void {
  const { basePath, clock } = deps

  app.get('/webhooks/:id', noStore, requireSignIn(deps, 'read'), async (request, response) => {
    const id = endpointIdOf(request)
    const { did: _did, ...filter } = request.query
    const query = canonicalQuery(filter)
    const one = await getEndpoint(deps, id)
    const given = tryParse(deliveryQuery, { limit: String(shownDeliveries), ...givenIn(query) }, 'query')
    const [deliveries, waiting] = await Promise.all([
      given instanceof AppError ? given : listDeliveries(deps, { ...given, endpointId: id }),
      countDue(deps, [id]),
    ])
    const now = clock.now()
    const viewer = principalOf(response)
    const path = `${basePath}/webhooks/${id}`
    const done = await justDone(deps, request, response, ({ subject }) => subject.id === id)
    const body = html`${notice(done)}${done === null ? null : resendProgress(done, waiting.get(id) ?? 0)}
<h1 class="job"><span>Endpoint</span> ${shownUrl(one.url)}</h1>
<section class="card" aria-label="What is known"><p class="lead"><span>${endpointHealth(one, waiting.get(id) ?? 0, now)}</span></p>
<dl class="facts">
<dt>Event types</dt><dd>${one.types.join(', ')}</dd>
<dt>Connections</dt><dd>${one.connections?.join(', ') ?? 'all'}</dd>
<dt>Providers</dt><dd>${one.providers?.join(', ') ?? 'all'}</dd>
<dt>Metadata</dt><dd>${one.metadata === null ? 'any' : html`<code>${JSON.stringify(one.metadata)}</code>`}</dd>
<dt>Own headers</dt><dd>${Object.keys(one.headers).join(', ') || 'none'}</dd>
<dt>Last success</dt><dd>${at(one.lastSuccessAt, now)}</dd>
<dt>Created</dt><dd>${at(one.createdAt, now)}</dd>
</dl></section>
${allows(viewer.scope, 'admin') ? webhookSteering(one, path) : null}
<section class="card" aria-labelledby="deliveries"><h2 id="deliveries">Deliveries</h2>
${deliveryFilter(path, query)}
${deliveries instanceof AppError ? filterComplaint(`${path}#deliveries`, deliveries) : deliveryTable(deliveries, { path, query, basePath, now })}</section>
${await changes(deps, { endpointId: id }, { basePath, now })}`
    response
      .type('html')
      .send(page({ title: shownUrl(one.url), body, basePath, viewer, section: '/webhooks', refreshSeconds }))
  })

  mountResending(app, deps)
  mountWebhookSteering(app, deps)
  mountWebhookChange(app, deps)
  mountWebhookSecret(app, deps)
}
