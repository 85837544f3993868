// Owns the page of one webhook endpoint: its health, its deliveries, and what may be done.
import type { IRouter, Request } from 'express'
import { notFound } from '../../api/refusal.ts'
import { parse } from '../../api/validation.ts'
import { isId } from '../../base/ids.ts'
import { allows } from '../../tokens/scope.ts'
import { listDeliveries } from '../../webhooks/deliveries/read.ts'
import { enableEndpoint, patchEndpoint } from '../../webhooks/endpoints/patch.ts'
import type { ApiEndpoint } from '../../webhooks/endpoints/present.ts'
import { countDue, getEndpoint } from '../../webhooks/endpoints/read.ts'
import { recoverEndpoint } from '../../webhooks/endpoints/recover.ts'
import { removeEndpoint } from '../../webhooks/endpoints/remove.ts'
import { replayEndpoint } from '../../webhooks/endpoints/replay.ts'
import type { Resent } from '../../webhooks/endpoints/resend.ts'
import { testEndpoint } from '../../webhooks/endpoints/send-test.ts'
import type { Wake } from '../../work/wake.ts'
import { deliveryQuery } from '../routes/deliveries.ts'
import { requireSameOrigin } from '../same-origin.ts'
import { noStore } from '../security-headers.ts'
import { deliveryFilter, deliveryTable } from './deliveries-table.ts'
import { endpointHealth } from './endpoint-health.ts'
import { readForm } from './form.ts'
import { at, counted, number } from './format.ts'
import { principalOf, requireSignIn } from './guard.ts'
import { type Html, html } from './html.ts'
import { shownUrl } from './import-events.ts'
import { page } from './layout.ts'
import { canonicalQuery } from './query.ts'
import type { WebhookDeps } from './webhooks.ts'

const shownDeliveries = 50

export function mountWebhook(app: IRouter, deps: WebhookDeps & { wake: Wake }): void {
  const { basePath, clock } = deps
  const verbs = { recover: recoverEndpoint, replay: replayEndpoint }

  app.get('/webhooks/:id', noStore, requireSignIn(deps, 'read'), async (request, response) => {
    const id = idOf(request)
    const { did, count, ...filter } = request.query
    const query = canonicalQuery(filter)
    const one = await getEndpoint(deps, id)
    const given = parse(deliveryQuery, { limit: String(shownDeliveries), ...Object.fromEntries(query) }, 'query')
    const [deliveries, waiting] = await Promise.all([
      listDeliveries(deps, { ...given, endpointId: id }),
      countDue(deps, [id]),
    ])
    const now = clock.now()
    const viewer = principalOf(response)
    const path = `${basePath}/webhooks/${id}`
    const body = html`${told(did, count)}
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
${allows(viewer.scope, 'admin') ? steering(one, path) : null}
<section class="card" aria-labelledby="deliveries"><h2 id="deliveries">Deliveries</h2>
${deliveryFilter(path, query)}
${deliveryTable(deliveries, { path, query, basePath, now })}</section>`
    response.type('html').send(page({ title: shownUrl(one.url), body, basePath, viewer, section: '/webhooks' }))
  })

  for (const [verb, resend] of Object.entries(verbs)) {
    app.get(`/webhooks/:id/${verb}`, noStore, requireSignIn(deps, 'admin'), async (request, response) => {
      const id = idOf(request)
      const one = await getEndpoint(deps, id)
      const found = await resend(deps, id, { dryRun: true })
      const body = confirm(one, { verb, found, path: `${basePath}/webhooks/${id}` })
      response
        .type('html')
        .send(
          page({ title: titles[verb] ?? verb, body, basePath, viewer: principalOf(response), section: '/webhooks' }),
        )
    })
    act(verb, async (id) => {
      const { count } = await resend(deps, id, { dryRun: false })
      return `/webhooks/${id}?did=${verb}&count=${count}`
    })
  }
  act('test', async (id) => `/deliveries/${(await testEndpoint(deps, id)).id}`)
  act('enable', async (id) => {
    await enableEndpoint(deps, id)
    return `/webhooks/${id}?did=enable`
  })
  act('disable', async (id) => {
    await patchEndpoint(deps, id, { enabled: false })
    return `/webhooks/${id}?did=disable`
  })
  act('delete', async (id) => {
    await removeEndpoint(deps, id)
    return '/webhooks'
  })

  function act(name: string, work: (id: string) => Promise<string>): void {
    app.post(
      `/webhooks/:id/${name}`,
      noStore,
      requireSignIn(deps, 'admin'),
      requireSameOrigin,
      readForm,
      async (request, response) => {
        const next = await work(idOf(request))
        deps.wake(['deliver'])
        response.redirect(303, `${basePath}${next}`)
      },
    )
  }
}

function steering(one: ApiEndpoint, path: string): Html {
  const button = (action: string, text: string) =>
    html`<form method="post" action="${path}/${action}"><button>${text}</button></form>`
  const reason = (text: string) => html`<p class="cannot"><b>${text}</b> <small>The endpoint is disabled.</small></p>`
  return html`<section class="card" aria-labelledby="actions"><h2 id="actions">Actions</h2><div class="steering">
${one.enabled ? button('test', 'Send a test') : reason('Send a test')}
${one.enabled ? html`<a class="button" href="${path}/recover">Recover …</a> <a class="button" href="${path}/replay">Replay …</a>` : reason('Recover, replay')}
${one.enabled && one.failingSince === null && one.blockedUntil === null ? null : button('enable', one.enabled ? 'Try again now' : 'Enable')}
${one.enabled ? html`<details><summary>Disable …</summary><form method="post" action="${path}/disable"><p>Nothing is sent to it any more. What waits is skipped, and can be replayed later.</p><button class="danger">Disable this endpoint</button></form></details>` : null}
<details><summary>Delete …</summary><form method="post" action="${path}/delete"><p>What waits is skipped. The log of its deliveries stays.</p><button class="danger">Delete this endpoint</button></form></details>
</div></section>`
}

const titles: Record<string, string> = { recover: 'Recover failed deliveries', replay: 'Replay missed events' }
const texts: Record<string, string> = {
  recover:
    'Deliveries of the last 30 days that failed for good, or that wait for a retry, are sent again now, with the same ids.',
  replay: 'Events of the last 30 days that the endpoint subscribes to and never got are sent to it now.',
}

function confirm(one: ApiEndpoint, { verb, found, path }: { verb: string; found: Resent; path: string }): Html {
  const many = `${number(found.count)}${found.more ? ' of more' : ''}`
  return html`<h1>${titles[verb] ?? verb}</h1>
<section class="card"><p>${shownUrl(one.url)}</p><p>${texts[verb] ?? ''}</p>
${
  found.count === 0
    ? html`<p>There are none.</p><p><a class="button" href="${path}">Back</a></p>`
    : html`<form method="post" action="${path}/${verb}"><div class="actions"><button class="primary">Send ${many} now</button><a class="button" href="${path}">Back</a></div></form>`
}</section>`
}

function told(did: unknown, count: unknown): Html | null {
  const sent =
    typeof count === 'string' && /^\d{1,6}$/.test(count) ? counted(Number(count), 'delivery', 'deliveries') : ''
  const done: Record<string, string> = {
    recover: `${sent} due now.`,
    replay: `${sent} due now.`,
    enable: 'It is tried again at once.',
    disable: 'Nothing is sent to it any more.',
  }
  const text = typeof did === 'string' && Object.hasOwn(done, did) ? done[did] : undefined
  return text === undefined ? null : html`<p class="notice good" role="status">${text}</p>`
}

function idOf(request: Request): string {
  const id = String(request.params.id)
  if (!isId(id)) throw notFound('webhook endpoint')
  return id
}
