// Owns making a connection by forms: the choice of its provider, then what that asks for.
import type { IRouter } from 'express'
import { maxPageSize } from '../../api/paging.ts'
import { invalid, notFound } from '../../api/refusal.ts'
import { requireStorable } from '../../api/validation.ts'
import { findCurrent } from '../../catalog/documents.ts'
import { listProviders } from '../../catalog/read.ts'
import { checkName, putConnectionSchema } from '../../connections/input.ts'
import { type PutDeps, putConnection } from '../../connections/put.ts'
import type { Provider } from '../../providers/contract.ts'
import { everyKind, type Wake } from '../../work/wake.ts'
import { noStore } from '../security-headers.ts'
import { connectionForm, providerChoice } from './connection-form.ts'
import { checkedInput, connectionInput, givenLimits, placedRefusal } from './connection-input.ts'
import { connectionPath } from './connection-path.ts'
import { type Form, formOf, postedForm } from './form.ts'
import { type PageGuardDeps, principalOf, requireSignIn, type Viewer } from './guard.ts'
import { type Html, html } from './html.ts'
import { page } from './layout.ts'
import { toldOn } from './notice.ts'
import { answerForm, forForms } from './posted.ts'
import { providerDocsPath } from './provider-docs.ts'

export interface ConnectionFormDeps extends PageGuardDeps, Omit<PutDeps, 'by'> {
  wake: Wake
}

export function mountNewConnection(app: IRouter, deps: ConnectionFormDeps): void {
  const { db, basePath } = deps
  const path = `${basePath}/connections`

  app.get('/connections/new', noStore, requireSignIn(deps, 'admin'), async (request, response) => {
    const { provider, name } = request.query
    const viewer = principalOf(response)
    response.type('html')
    if (typeof provider === 'string') {
      const found = await findCurrent(db, provider)
      if (!found) throw notFound('provider')
      const form = formOf({ name: typeof name === 'string' ? name : '' })
      return void response.send(formPage(form, found.provider, viewer))
    }
    const { data } = await listProviders(deps, { limit: maxPageSize })
    response.send(show('New connection', providerChoice(data, `${path}/new`), viewer))
  })

  app.post('/connections', ...forForms(deps, 'admin'), async (request, response) => {
    const form = postedForm(request)
    const given = form.value('provider')
    requireStorable(given, ['provider'])
    const found = await findCurrent(db, given)
    if (!found) throw invalid('provider', 'must name a provider')
    const { provider } = found
    const name = form.value('name').trim()
    const input = connectionInput(form, provider, null)
    await answerForm(deps, request, response, {
      act: (by) => {
        const { baseUrl, errors: _errors, blank: _blank, limits, ...fields } = input
        const common = { ...fields, provider: provider.name, limits: givenLimits(limits) }
        const parsed = checkedInput(
          input,
          { ...common, ...(baseUrl && { baseUrl }) },
          { guard: deps.guard, provider, schema: putConnectionSchema, checkName: () => checkName(name) },
        )
        return putConnection({ ...deps, by }, name, parsed, { replace: false })
      },
      next: (done) => toldOn(connectionPath('', name), done),
      again: (refusal) => {
        const refused = form.refused(placedRefusal(refusal, form, provider, input, []) ?? refusal)
        return formPage(refused, provider, principalOf(response))
      },
      wakes: everyKind,
    })
  })

  function formPage(form: Form, provider: Provider, viewer: Viewer): string {
    const content = { form, provider, action: path, back: `${path}/new`, stored: null, seen: null }
    const docs = providerDocsPath(basePath, provider.name)
    const title = `New connection to ${provider.title ?? provider.name}`
    return show(title, connectionForm({ ...content, docs }), viewer, form.refusal !== null)
  }

  function show(title: string, content: Html, viewer: Viewer, isAnswer = false): string {
    return page({
      title,
      body: html`<h1>${title}</h1>${content}`,
      basePath,
      viewer,
      section: '/connections',
      isAnswer,
    })
  }
}
