// Owns sending webhooks of a span of time again by form: the span, the count before, and what is still to be sent after.
import type { IRouter, Request } from 'express'
import type { ApiAction } from '../../actions/present.ts'
import { AppError } from '../../api/refusal.ts'
import { parse } from '../../api/validation.ts'
import { after } from '../../base/clock.ts'
import type { ApiEndpoint } from '../../webhooks/endpoints/present.ts'
import { getEndpoint } from '../../webhooks/endpoints/read.ts'
import { recoverEndpoint } from '../../webhooks/endpoints/recover.ts'
import { replayEndpoint } from '../../webhooks/endpoints/replay.ts'
import { type Resent, type WindowInput, windowSchema } from '../../webhooks/endpoints/resend.ts'
import { shownUrl } from '../../webhooks/endpoints/shown-url.ts'
import { noStore } from '../security-headers.ts'
import { complaint, refusalNotice } from './fields.ts'
import { type Form, formOf, postedForm, tryForm } from './form.ts'
import { counted, number } from './format.ts'
import { principalOf, requireSignIn } from './guard.ts'
import { type Html, html } from './html.ts'
import { page } from './layout.ts'
import { momentInput } from './moment-input.ts'
import { toldOn } from './notice.ts'
import { answerForm, forForms, keyField } from './posted.ts'
import { linkWith, withZone } from './query.ts'
import { endpointIdOf } from './webhook-path.ts'
import type { WebhookDeps } from './webhooks.ts'

type Verb = 'recover' | 'replay'

const verbs = { recover: recoverEndpoint, replay: replayEndpoint }

const texts: Record<Verb, { title: string; text: string; none: string }> = {
  recover: {
    title: 'Recover failed deliveries',
    text: 'Deliveries that failed for good, or that wait for a retry, are sent again now, with the same ids.',
    none: 'None failed in this time.',
  },
  replay: {
    title: 'Replay missed events',
    text: 'Events that the endpoint subscribes to and never got are sent to it now.',
    none: 'It missed none in this time.',
  },
}

const presets = [
  ['last hour', 3_600_000],
  ['last 24 h', 86_400_000],
  ['last 7 days', 7 * 86_400_000],
] as const

export function mountResending(app: IRouter, deps: WebhookDeps): void {
  const { basePath } = deps
  for (const verb of ['recover', 'replay'] as const) {
    app.get(`/webhooks/:id/${verb}`, noStore, requireSignIn(deps, 'admin'), async (request, response) => {
      const { since, until } = request.query
      const form = formOf({
        since: typeof since === 'string' ? withZone(since) : '',
        until: typeof until === 'string' ? withZone(until) : '',
      })
      response.type('html').send(await resendPage(request, verb, form, principalOf(response)))
    })

    app.post(`/webhooks/:id/${verb}`, ...forForms(deps, 'admin'), (request, response) => {
      const id = endpointIdOf(request)
      const form = postedForm(request)
      return answerForm(deps, request, response, {
        act: (by) => verbs[verb]({ ...deps, by }, id, windowOf(form, false)),
        next: (done) => toldOn(`/webhooks/${id}`, done),
        again: (refusal) => resendPage(request, verb, form.refused(refusal), principalOf(response)),
        wakes: ['deliver'],
      })
    })
  }

  async function resendPage(
    request: Request,
    verb: Verb,
    form: Form,
    viewer: ReturnType<typeof principalOf>,
  ): Promise<string> {
    const id = endpointIdOf(request)
    const one = await getEndpoint(deps, id)
    const found =
      form.refusal ?? (await tryForm(request, () => verbs[verb]({ ...deps, by: viewer }, id, windowOf(form, true))))
    const refused =
      found instanceof AppError
        ? formOf(Object.fromEntries(['since', 'until', 'key'].map((name) => [name, form.value(name)])), found)
        : form
    const body = shownForm(one, verb, refused, found instanceof AppError ? null : found)
    const isAnswer = request.method === 'POST'
    return page({ title: texts[verb].title, body, basePath, viewer, section: '/webhooks', isAnswer })
  }

  function shownForm(one: ApiEndpoint, verb: Verb, form: Form, found: Resent | null): Html {
    const back = `${basePath}/webhooks/${one.id}`
    const path = `${back}/${verb}`
    const now = deps.clock.now()
    const links = presets.map(([text, ms]) => {
      const since = after(now, -ms)
      since.setUTCMilliseconds(0)
      return html`<a href="${linkWith(path, { since: since.toISOString() })}">${text}</a>`
    })
    const time = (name: 'since' | 'until', label: string) =>
      html`<div class="field"><label for="${name}">${label}</label>${momentInput({ name, value: form.value(name), id: name })}${complaint(form, name)}</div>`
    return html`<h1>${texts[verb].title}</h1>
<section class="card"><p>${shownUrl(one.url)}</p><p>${texts[verb].text}</p>
${refusalNotice(form, ['since', 'until'], 'Nothing was sent.')}
<form method="get" action="${path}" class="form"><div class="fields">${time('since', 'From, UTC')}${time('until', 'Until, UTC')}</div>
<p class="presets">${links}<a href="${path}">all of the last 30 days</a></p>
<div class="actions"><button>Count</button></div></form>
${
  found === null
    ? null
    : found.count === 0
      ? html`<p>${texts[verb].none}</p>`
      : html`<form method="post" action="${path}" class="form">${keyField(form)}<input type="hidden" name="since" value="${form.value('since')}"><input type="hidden" name="until" value="${form.value('until')}">
${found.more ? html`<p>There are more than ${number(found.count)}. The rest can be sent after these.</p>` : null}
<div class="actions"><button class="primary">Send ${number(found.count)} again</button></div></form>`
}
<p><a href="${back}">Back to the endpoint</a></p></section>`
  }
}

/** @throws {AppError} invalid_request */
function windowOf(form: Form, dryRun: boolean): WindowInput {
  const given = (name: string) => (form.value(name) === '' ? {} : { [name]: form.value(name) })
  return parse(windowSchema, { ...given('since'), ...given('until'), dryRun }, 'window')
}

/** How far the sending again has come. Null: something else was done. */
export function resendProgress({ verb, details }: ApiAction, waiting: number): Html | null {
  const total = details?.count
  if ((verb !== 'endpoint.recover' && verb !== 'endpoint.replay') || typeof total !== 'number') return null
  const left = Math.min(waiting, total)
  const isDone = left === 0
  const what = counted(total, 'delivery', 'deliveries')
  return html`<section class="card" aria-label="Sending again"><p>${
    isDone
      ? html`<b class="good">Done:</b> ${what} sent again.`
      : html`<progress value="${total - left}" max="${total}">${number(total - left)}</progress> <b>${number(total - left)} of ${what}</b> sent again, ${number(left)} waiting`
  }</p>${isDone ? null : html`<noscript><p><a href="">Look again</a></p></noscript>`}</section>`
}
