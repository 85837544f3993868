// Owns what may be done with a webhook endpoint on its page, and changing it by form.
import type { IRouter } from 'express'
import type { Acting } from '../../actions/write.ts'
import { AppError } from '../../api/refusal.ts'
import { parse } from '../../api/validation.ts'
import { patchEndpointSchema } from '../../webhooks/endpoints/input.ts'
import { enableEndpoint, patchEndpoint } from '../../webhooks/endpoints/patch.ts'
import type { ApiEndpoint } from '../../webhooks/endpoints/present.ts'
import { getEndpoint } from '../../webhooks/endpoints/read.ts'
import { removeEndpoint } from '../../webhooks/endpoints/remove.ts'
import { rotateSecret, rotateSecretSchema } from '../../webhooks/endpoints/rotate-secret.ts'
import { testEndpoint } from '../../webhooks/endpoints/send-test.ts'
import { shownUrl } from '../../webhooks/endpoints/shown-url.ts'
import type { Wake } from '../../work/wake.ts'
import { requireSameOrigin } from '../same-origin.ts'
import { noStore } from '../security-headers.ts'
import { endpointForm, endpointInput, formOfEndpoint } from './endpoint-form.ts'
import { type Form, fieldOf, postedForm, readForm, tryForm } from './form.ts'
import { principalOf, requireSignIn, type Viewer } from './guard.ts'
import { type Html, html } from './html.ts'
import { page } from './layout.ts'
import { endpointIdOf } from './webhook-path.ts'
import { secretPage } from './webhook-secret.ts'
import type { WebhookDeps } from './webhooks.ts'

export function webhookSteering(one: ApiEndpoint, path: string): Html {
  const button = (action: string, text: string) =>
    html`<form method="post" action="${path}/${action}"><button>${text}</button></form>`
  const reason = (text: string) => html`<p class="cannot"><b>${text}</b> <small>The endpoint is disabled.</small></p>`
  return html`<section class="card" aria-labelledby="actions"><h2 id="actions">Actions</h2><div class="steering">
${one.enabled ? button('test', 'Send a test') : reason('Send a test')}
${one.enabled ? html`<a class="button" href="${path}/recover">Recover …</a> <a class="button" href="${path}/replay">Replay …</a>` : reason('Recover, replay')}
${one.enabled && one.failingSince === null && one.blockedUntil === null ? null : button('enable', one.enabled ? 'Try again now' : 'Enable')}
<a class="button" href="${path}/edit">Change …</a>
<details><summary>New secret …</summary><form method="post" action="${path}/rotate-secret"><p>The new secret is shown once. The old one goes on signing beside it for a while, so that receivers can change over.</p><p><label>The old one signs for <select name="overlapHours"><option value="24">24 hours</option><option value="168">7 days</option><option value="1">one hour</option><option value="0">no longer: it has leaked</option></select></label></p><button>Make a new secret</button></form></details>
${one.enabled ? html`<details><summary>Disable …</summary><form method="post" action="${path}/disable"><p>Nothing is sent to it any more. What waits is skipped, and can be replayed later.</p><button class="danger">Disable this endpoint</button></form></details>` : null}
<details><summary>Delete …</summary><form method="post" action="${path}/delete"><p>What waits is skipped. The log of its deliveries stays.</p><button class="danger">Delete this endpoint</button></form></details>
</div></section>`
}

type ActingDeps = WebhookDeps & Acting

export function mountWebhookSteering(app: IRouter, deps: WebhookDeps & { wake: Wake }): void {
  const { basePath } = deps
  const admin = [noStore, requireSignIn(deps, 'admin')]
  const posted = [...admin, requireSameOrigin, readForm]

  act('test', async (deps, id) => `/deliveries/${(await testEndpoint(deps, id)).id}`)
  act('enable', async (deps, id) => {
    await enableEndpoint(deps, id)
    return `/webhooks/${id}?did=enable`
  })
  act('disable', async (deps, id) => {
    await patchEndpoint(deps, id, { enabled: false })
    return `/webhooks/${id}?did=disable`
  })
  act('delete', async (deps, id) => {
    await removeEndpoint(deps, id)
    return '/webhooks'
  })

  app.post('/webhooks/:id/rotate-secret', ...posted, async (request, response) => {
    const overlapHours = Number(fieldOf(request, 'overlapHours') || '24')
    const one = await rotateSecret(
      { ...deps, by: principalOf(response) },
      endpointIdOf(request),
      parse(rotateSecretSchema, { overlapHours }, 'form'),
    )
    const text = 'is signed to with a new secret from now on.'
    // The secret is shown this once, so there is nothing to redirect to.
    response
      .type('html')
      .send(show('A new secret', secretPage(one, { basePath, title: 'A new secret', text }), principalOf(response)))
  })

  app.get('/webhooks/:id/edit', ...admin, async (request, response) => {
    const one = await getEndpoint(deps, endpointIdOf(request))
    response.type('html').send(editPage(one, formOfEndpoint(one), principalOf(response)))
  })

  app.post('/webhooks/:id/edit', ...posted, async (request, response) => {
    const one = await getEndpoint(deps, endpointIdOf(request))
    const form = postedForm(request)
    const { errors, keptHeaders, ...fields } = endpointInput(form, one)
    const changed = await tryForm(request, async () => {
      const change = parse(patchEndpointSchema, fields, 'form')
      if (errors.length > 0) throw new AppError('invalid_request', 'The form has to be mended.', errors)
      return patchEndpoint({ ...deps, by: principalOf(response) }, one.id, change, { keepHeaders: keptHeaders })
    })
    if (changed instanceof AppError)
      return void response.type('html').send(editPage(one, form.refused(changed), principalOf(response)))
    deps.wake(['deliver'])
    response.redirect(303, `${basePath}/webhooks/${one.id}?did=edit`)
  })

  function editPage(one: ApiEndpoint, form: Form, viewer: Viewer): string {
    const back = `${basePath}/webhooks/${one.id}`
    const content = endpointForm(form, { action: `${back}/edit`, back, stored: Object.keys(one.headers) })
    const title = `Change ${shownUrl(one.url)}`
    return show(title, html`<h1>${title}</h1><section class="card">${content}</section>`, viewer)
  }

  function show(title: string, body: Html, viewer: Viewer): string {
    return page({ title, body, basePath, viewer, section: '/webhooks' })
  }

  function act(name: string, work: (deps: ActingDeps, id: string) => Promise<string>): void {
    app.post(`/webhooks/:id/${name}`, ...posted, async (request, response) => {
      const next = await work({ ...deps, by: principalOf(response) }, endpointIdOf(request))
      deps.wake(['deliver'])
      response.redirect(303, `${basePath}${next}`)
    })
  }
}
