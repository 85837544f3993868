// Owns changing a webhook endpoint by form.
import type { IRouter } from 'express'
import { AppError, invalid } from '../../api/refusal.ts'
import { StaleChange } from '../../api/seen.ts'
import { parse } from '../../api/validation.ts'
import { patchEndpointSchema } from '../../webhooks/endpoints/input.ts'
import { patchEndpoint } from '../../webhooks/endpoints/patch.ts'
import type { ApiEndpoint } from '../../webhooks/endpoints/present.ts'
import { getEndpoint } from '../../webhooks/endpoints/read.ts'
import { readSeen } from '../../webhooks/endpoints/seen.ts'
import { shownUrl } from '../../webhooks/endpoints/shown-url.ts'
import { noStore } from '../security-headers.ts'
import { endpointForm, endpointInput, formOfEndpoint } from './endpoint-form.ts'
import { staleRefusal } from './fields.ts'
import { type Form, postedForm } from './form.ts'
import { principalOf, requireSignIn, type Viewer } from './guard.ts'
import { html } from './html.ts'
import { page } from './layout.ts'
import { toldOn } from './notice.ts'
import { answerForm, forForms } from './posted.ts'
import { endpointIdOf } from './webhook-path.ts'
import type { WebhookDeps } from './webhooks.ts'

export function mountWebhookChange(app: IRouter, deps: WebhookDeps): void {
  const { basePath } = deps

  app.get('/webhooks/:id/edit', noStore, requireSignIn(deps, 'admin'), async (request, response) => {
    const { one, seen } = await read(endpointIdOf(request))
    response.type('html').send(formPage(one, { form: formOfEndpoint(one), seen }, principalOf(response)))
  })

  app.post('/webhooks/:id/edit', ...forForms(deps, 'admin'), async (request, response) => {
    const { one } = await read(endpointIdOf(request))
    const form = postedForm(request)
    if (form.values('url').length === 0) throw invalid('url', 'must be sent')
    const { errors, keptHeaders, ...fields } = endpointInput(form, one)
    const seen = form.value('seen')
    await answerForm(deps, request, response, {
      act: (by) => {
        const change = parse(patchEndpointSchema, fields, 'form')
        if (errors.length > 0) throw new AppError('invalid_request', 'The form has to be mended.', errors)
        const options = { keepHeaders: keptHeaders, seen: seen === '' ? null : seen }
        return patchEndpoint({ ...deps, by }, one.id, change, options)
      },
      next: (done) => toldOn(`/webhooks/${one.id}`, done),
      again: async (refusal) => {
        const viewer = principalOf(response)
        if (!(refusal instanceof StaleChange)) return formPage(one, { form: form.refused(refusal), seen }, viewer)
        const now = await read(one.id)
        const refused = form.refused(staleRefusal(refusal, formOfEndpoint(now.one)))
        return formPage(now.one, { form: refused, seen: now.seen }, viewer)
      },
      wakes: ['deliver'],
    })
  })

  /** The digest is read first. If another person changes a field between both reads, the save is refused. */
  async function read(id: string): Promise<{ one: ApiEndpoint; seen: string }> {
    const seen = await readSeen(deps, id)
    return { one: await getEndpoint(deps, id), seen }
  }

  function formPage(one: ApiEndpoint, { form, seen }: { form: Form; seen: string }, viewer: Viewer): string {
    const back = `${basePath}/webhooks/${one.id}`
    const stored = Object.keys(one.headers)
    const title = `Change ${shownUrl(one.url)}`
    const content = endpointForm(form, { action: `${back}/edit`, back, stored, seen })
    const body = html`<h1>${title}</h1><section class="card">${content}</section>`
    return page({ title, body, basePath, viewer, section: '/webhooks', isAnswer: form.refusal !== null })
  }
}
