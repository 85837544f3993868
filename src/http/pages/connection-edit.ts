// Owns making, changing and deleting a connection by forms. Credentials go in, and never out.
import type { IRouter } from 'express'
import { maxPageSize } from '../../api/paging.ts'
import { AppError, invalid, notFound } from '../../api/refusal.ts'
import { parse, requireStorable } from '../../api/validation.ts'
import { type CurrentProvider, findCurrent, findPinned } from '../../catalog/documents.ts'
import { listProviders } from '../../catalog/read.ts'
import { deleteConnection } from '../../connections/delete.ts'
import { patchConnectionSchema, putConnectionSchema } from '../../connections/input.ts'
import { type PutDeps, patchConnection, putConnection } from '../../connections/put.ts'
import { getConnection, getCredentialNames } from '../../connections/read.ts'
import { countedImports, countImports } from '../../connections/standing.ts'
import type { Provider } from '../../providers/contract.ts'
import { everyKind, type Wake } from '../../work/wake.ts'
import { requireSameOrigin } from '../same-origin.ts'
import { noStore } from '../security-headers.ts'
import { connectionForm, providerChoice } from './connection-form.ts'
import { connectionInput, formOfConnection, placedRefusal } from './connection-input.ts'
import { connectionPath, nameOf } from './connection-path.ts'
import { refusalNotice } from './fields.ts'
import { type Form, formOf, postedForm, readForm, tryForm } from './form.ts'
import { counted } from './format.ts'
import { type PageGuardDeps, principalOf, requireSignIn, type Viewer } from './guard.ts'
import { type Html, html } from './html.ts'
import { page } from './layout.ts'
import { providerDocsPath } from './provider-docs.ts'

interface Deps extends PageGuardDeps, Omit<PutDeps, 'by'> {
  wake: Wake
}

export function mountConnectionForms(app: IRouter, deps: Deps): void {
  const { db, basePath } = deps
  const admin = [noStore, requireSignIn(deps, 'admin')]
  const posted = [...admin, requireSameOrigin, readForm]
  const show = (title: string, body: Html, viewer: Viewer) =>
    page({ title, body: html`<h1>${title}</h1>${body}`, basePath, viewer, section: '/connections' })

  app.get('/connections/new', ...admin, async (request, response) => {
    const { provider, name } = request.query
    response.type('html')
    if (typeof provider === 'string') {
      const found = await findCurrent(db, provider)
      if (!found) throw notFound('provider')
      const form = formOf({ name: typeof name === 'string' ? name : '' })
      return void response.send(await newPage(form, found.provider, principalOf(response)))
    }
    const { data } = await listProviders(deps, { limit: maxPageSize })
    response.send(show('New connection', providerChoice(data, `${basePath}/connections/new`), principalOf(response)))
  })

  app.post('/connections', ...posted, async (request, response) => {
    const form = postedForm(request)
    const given = form.value('provider')
    requireStorable(given, ['provider'])
    const found = await findCurrent(db, given)
    if (!found) throw invalid('provider', 'must name a provider')
    const { provider } = found
    const name = form.value('name').trim()
    const input = connectionInput(form, provider, null)
    const made = await tryForm(request, async () => {
      const { baseUrl, errors, blank: _blank, limits, ...fields } = input
      const own = Object.entries(limits).filter(([, limit]) => limit !== null)
      const body = { ...fields, provider: provider.name, limits: Object.fromEntries(own), ...(baseUrl && { baseUrl }) }
      const parsed = parse(putConnectionSchema, body, 'form')
      if (errors.length > 0) throw new AppError('invalid_request', '', errors)
      return putConnection({ ...deps, by: principalOf(response) }, name, parsed, { replace: false })
    })
    if (made instanceof AppError) {
      const refused = form.refused(placedRefusal(made, form, provider, input, []) ?? made)
      return void response.type('html').send(await newPage(refused, provider, principalOf(response)))
    }
    deps.wake(everyKind)
    response.redirect(303, `${connectionPath(basePath, name)}?did=create`)
  })

  app.get('/connections/:name/edit', ...admin, async (request, response) => {
    const { one, provider, stored } = await read(nameOf(request))
    const form = formOfConnection(one, provider, stored)
    response.type('html').send(editPage(one.name, { form, provider, stored }, principalOf(response)))
  })

  app.post('/connections/:name/edit', ...posted, async (request, response) => {
    const form = postedForm(request)
    const { one, provider, stored } = await read(nameOf(request))
    // Blank fields clear what is stored, but a form without its fields is none.
    if (form.values('baseUrl').length === 0) throw invalid('baseUrl', 'must be sent, blank or not')
    const input = connectionInput(form, provider, { one, shown: formOfConnection(one, provider, stored) })
    const changed = await tryForm(request, async () => {
      const { credentials, blank, errors, ...fields } = input
      const isNewForm =
        blank.some((name) => !stored.includes(name)) || stored.some((name) => !namesOf(input).includes(name))
      const isKept = Object.keys(credentials).length === 0 && !isNewForm
      const change = parse(patchConnectionSchema, { ...fields, ...(!isKept && { credentials }) }, 'form')
      if (errors.length > 0) throw new AppError('invalid_request', '', errors)
      return patchConnection({ ...deps, by: principalOf(response) }, one.name, change, { keepCredentials: blank })
    })
    if (changed instanceof AppError) {
      const refused = form.refused(placedRefusal(changed, form, provider, input, stored) ?? changed)
      const shown = editPage(one.name, { form: refused, provider, stored }, principalOf(response))
      return void response.type('html').send(shown)
    }
    deps.wake(everyKind)
    response.redirect(303, `${connectionPath(basePath, one.name)}?did=edit`)
  })

  app.get('/connections/:name/delete', ...admin, async (request, response) => {
    response.type('html').send(await deletePage(nameOf(request), formOf({}), principalOf(response)))
  })

  app.post('/connections/:name/delete', ...posted, async (request, response) => {
    const name = nameOf(request)
    const done = await tryForm(request, () => deleteConnection({ ...deps, by: principalOf(response) }, name))
    if (done instanceof AppError)
      return void response.type('html').send(await deletePage(name, formOf({}, done), principalOf(response)))
    response.redirect(303, `${basePath}/connections?did=delete`)
  })

  async function newPage(form: Form, provider: Provider, viewer: Viewer): Promise<string> {
    const path = `${basePath}/connections`
    const shown = connectionForm({
      form,
      provider,
      action: path,
      back: `${path}/new`,
      stored: null,
      docs: providerDocsPath(basePath, provider.name),
    })
    return show(`New connection to ${provider.title ?? provider.name}`, shown, viewer)
  }

  function editPage(
    name: string,
    content: { form: Form; provider: Provider; stored: readonly string[] },
    viewer: Viewer,
  ): string {
    const path = connectionPath(basePath, name)
    return show(
      `Change ${name}`,
      connectionForm({
        ...content,
        action: `${path}/edit`,
        back: path,
        docs: providerDocsPath(basePath, content.provider.name),
      }),
      viewer,
    )
  }

  async function deletePage(name: string, form: Form, viewer: Viewer): Promise<string> {
    const one = await getConnection(deps, name)
    const counts = await countImports(deps, one.name)
    const total = [...counts.values()].reduce((sum, count) => sum + count, 0)
    const many = total > countedImports ? `more than ${counted(countedImports, 'import')}` : counted(total, 'import')
    const path = connectionPath(basePath, name)
    const body = html`<form class="card form" method="post" action="${path}/delete">
${refusalNotice(form, [], 'It wasn’t deleted.')}
<p>${one.name} has ${total === 0 ? 'no imports' : many}. Its credentials are deleted, and its name is free again. Its imports and their history stay.</p>
<div class="actions"><button class="danger">Delete this connection</button><a class="button" href="${path}">Cancel</a></div></form>`
    return show(`Delete ${one.name}?`, body, viewer)
  }

  async function read(name: string) {
    const one = await getConnection(deps, name)
    const pinned: CurrentProvider | undefined = await findPinned(db, one)
    if (!pinned) throw new AppError('conflict', `This version doesn’t know the provider ${one.provider}.`)
    return { one, provider: pinned.provider, stored: await getCredentialNames(deps, one.name) }
  }
}

function namesOf({ credentials, blank }: { credentials: Record<string, string>; blank: string[] }): string[] {
  return [...Object.keys(credentials), ...blank]
}
