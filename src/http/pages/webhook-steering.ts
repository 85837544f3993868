// Owns what may be done with a webhook endpoint on its page.
import type { IRouter, Request } from 'express'
import type { Acting } from '../../actions/write.ts'
import { parse } from '../../api/validation.ts'
import { enableEndpoint, patchEndpoint } from '../../webhooks/endpoints/patch.ts'
import type { ApiEndpoint } from '../../webhooks/endpoints/present.ts'
import { removeEndpoint } from '../../webhooks/endpoints/remove.ts'
import { rotateSecret, rotateSecretSchema } from '../../webhooks/endpoints/rotate-secret.ts'
import { testEndpoint } from '../../webhooks/endpoints/send-test.ts'
import { fieldOf } from './form.ts'
import { type Html, html } from './html.ts'
import { toldOn } from './notice.ts'
import { numberOf } from './number-field.ts'
import { answerForm, type Done, forForms, keyField } from './posted.ts'
import { endpointIdOf } from './webhook-path.ts'
import type { WebhookDeps } from './webhooks.ts'

export function webhookSteering(one: ApiEndpoint, path: string): Html {
  const button = (action: string, text: string) =>
    html`<form method="post" action="${path}/${action}">${keyField()}<button>${text}</button></form>`
  const reason = (text: string) => html`<p class="cannot"><b>${text}</b> <small>The endpoint is disabled.</small></p>`
  return html`<section class="card" aria-labelledby="actions"><h2 id="actions">Actions</h2><div class="steering">
${one.enabled ? button('test', 'Send a test') : reason('Send a test')}
${one.enabled ? html`<a class="button" href="${path}/recover">Recover …</a> <a class="button" href="${path}/replay">Replay …</a>` : reason('Recover, replay')}
${one.enabled && one.failingSince === null && one.blockedUntil === null ? null : button('enable', one.enabled ? 'Try again now' : 'Enable')}
<a class="button" href="${path}/edit">Change …</a>
<details><summary>New secret …</summary><form method="post" action="${path}/rotate-secret">${keyField()}<p>The new secret is shown once. The old one goes on signing beside it for a while, so that receivers can change over.</p><p><label>The old one signs for <select name="overlapHours"><option value="24">24 hours</option><option value="168">7 days</option><option value="1">one hour</option><option value="0">no longer: it has leaked</option></select></label></p><button>Make a new secret</button></form></details>
${one.enabled ? html`<details><summary>Disable …</summary><form method="post" action="${path}/disable">${keyField()}<p>Nothing is sent to it any more. What waits is skipped, and can be replayed later.</p><button class="danger">Disable this endpoint</button></form></details>` : null}
<details><summary>Delete …</summary><form method="post" action="${path}/delete">${keyField()}<p>What waits is skipped. The log of its deliveries stays.</p><button class="danger">Delete this endpoint</button></form></details>
</div></section>`
}

type ActingDeps = WebhookDeps & Acting

export function mountWebhookSteering(app: IRouter, deps: WebhookDeps): void {
  post('test', testEndpoint, ({ action }) => `/deliveries/${action?.details?.deliveryId}`)
  post('enable', enableEndpoint)
  post('disable', (acting, id) => patchEndpoint(acting, id, { enabled: false }))
  post('delete', removeEndpoint, (done) => toldOn('/webhooks', done))
  post(
    'rotate-secret',
    (acting, id, request) => {
      const given = numberOf(fieldOf(request, 'overlapHours'), 'overlapHours', { whole: true })
      return rotateSecret(acting, id, parse(rotateSecretSchema, { overlapHours: given ?? undefined }, 'form'))
    },
    (done, id) => toldOn(`/webhooks/${id}/secret`, done),
  )

  function post(
    name: string,
    act: (acting: ActingDeps, id: string, request: Request) => Promise<unknown>,
    next = (done: Done, id: string) => toldOn(`/webhooks/${id}`, done),
  ): void {
    app.post(`/webhooks/:id/${name}`, ...forForms(deps, 'admin'), (request, response) => {
      const id = endpointIdOf(request)
      return answerForm(deps, request, response, {
        act: (by) => act({ ...deps, by }, id, request),
        next: (done) => next(done, id),
        wakes: ['deliver'],
      })
    })
  }
}
