// Owns the page of one delivery: what is sent, and what came of each attempt.
import type { IRouter } from 'express'
import { AppError, notFound } from '../../api/refusal.ts'
import { isId } from '../../base/ids.ts'
import { parseJsonAsWritten } from '../../base/json.ts'
import { getEvent } from '../../events/feed.ts'
import { allows } from '../../tokens/scope.ts'
import type { ApiAttempt } from '../../webhooks/deliveries/present.ts'
import { attemptsOf, getDelivery } from '../../webhooks/deliveries/read.ts'
import { redeliver } from '../../webhooks/deliveries/redeliver.ts'
import { getEndpoint } from '../../webhooks/endpoints/read.ts'
import { shownUrl } from '../../webhooks/endpoints/shown-url.ts'
import { noStore } from '../security-headers.ts'
import { waiting } from './delivery-waiting.ts'
import { at } from './format.ts'
import { principalOf, requireSignIn } from './guard.ts'
import { type Html, html, lines } from './html.ts'
import { attemptLine, deliveryBadge } from './import-events.ts'
import { page } from './layout.ts'
import { justDone, notice, toldOn } from './notice.ts'
import { answerForm, forForms, keyField } from './posted.ts'
import type { WebhookDeps } from './webhooks.ts'

const refreshSeconds = 5
/** A person waits for the answer of a receiver. */
const waitingRefreshSeconds = 0.25

export function mountDelivery(app: IRouter, deps: WebhookDeps): void {
  const { basePath, clock } = deps

  app.get('/deliveries/:id', noStore, requireSignIn(deps, 'read'), async (request, response) => {
    const id = String(request.params.id)
    if (!isId(id)) throw notFound('delivery')
    const one = await getDelivery(deps, id)
    const [attempts, event, endpoint] = await Promise.all([
      attemptsOf(deps, [id]),
      getEvent(deps, one.eventId),
      getEndpoint(deps, one.endpointId).catch(unlessDeleted),
    ])
    const now = clock.now()
    const viewer = principalOf(response)
    const done = await justDone(deps, request, response, ({ subject }) => subject.id === id)
    const body = html`${notice(done)}<h1 class="job"><span>Delivery of</span> ${one.type}</h1>
<section class="card" aria-label="What is known"><p class="lead">${deliveryBadge(one.state)} ${waiting({ delivery: one, attempts: attempts.get(id) ?? [], endpoint, now })}</p>
${one.nextAttemptAt === null ? null : html`<noscript><p><a class="button" href="">Look again</a></p></noscript>`}
<dl class="facts">
<dt>Endpoint</dt><dd>${endpoint === null ? html`<code>${one.endpointId}</code> <small>deleted</small>` : html`<a href="${basePath}/webhooks/${one.endpointId}">${shownUrl(endpoint.url)}</a>`}</dd>
<dt>Import</dt><dd>${event.importId === null ? 'none' : html`<a href="${basePath}/imports/${event.importId}">${event.importId}</a>`}</dd>
<dt>Created</dt><dd>${at(one.createdAt, now)}</dd>
<dt>Delivered</dt><dd>${at(one.deliveredAt, now)}</dd>
</dl>
${allows(viewer.scope, 'write') ? html`<form method="post" action="${basePath}/deliveries/${id}/redeliver">${keyField()}<button>Deliver once more</button></form>` : null}</section>
<section class="card" aria-labelledby="attempts"><h2 id="attempts">Attempts</h2>${attemptList(attempts.get(id) ?? [], now)}</section>
<section class="card" aria-labelledby="sent"><h2 id="sent">What is sent</h2>
<table class="short"><caption class="visually-hidden">Headers</caption><thead><tr><th scope="col">Header</th><th scope="col">Value</th></tr></thead>
<tbody>${Object.entries(one.headers).map(([name, value]) => html`<tr><td><code>${name}</code></td><td class="wrap"><code>${value}</code></td></tr>`)}</tbody></table>
<pre tabindex="0">${lines(pretty(one.payload))}</pre></section>`
    const live = { refreshSeconds: one.nextAttemptAt === null ? refreshSeconds : waitingRefreshSeconds }
    response.type('html').send(page({ title: one.type, body, basePath, viewer, section: '/webhooks', ...live }))
  })

  app.post('/deliveries/:id/redeliver', ...forForms(deps, 'write'), (request, response) => {
    const id = String(request.params.id)
    return answerForm(deps, request, response, {
      act: (by) => redeliver({ ...deps, by }, id),
      next: (done) => toldOn(`/deliveries/${id}`, done),
      wakes: ['deliver'],
    })
  })
}

function unlessDeleted(error: unknown): null {
  if (error instanceof AppError && error.code === 'not_found') return null
  throw error
}

function attemptList(attempts: readonly ApiAttempt[], now: Date): Html {
  if (attempts.length === 0) return html`<p>None yet.</p>`
  return html`<ol class="timeline">${attempts.toReversed().map(
    (attempt) => html`<li><p>${attemptLine(attempt, now)}${attempt.manual ? html` <small>asked for</small>` : null}</p>
${attempt.responseSnippet ? html`<details><summary>Answer</summary><pre>${lines(attempt.responseSnippet)}</pre></details>` : null}</li>`,
  )}</ol>`
}

/** For reading. The bytes that are sent have no spaces. */
function pretty(payload: string): string {
  try {
    return JSON.stringify(parseJsonAsWritten(payload), null, 2)
  } catch {
    return payload
  }
}
