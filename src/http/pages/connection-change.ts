// Owns changing a connection by form. Credentials go in, and never out.
import type { IRouter } from 'express'
import { AppError, invalid } from '../../api/refusal.ts'
import { StaleChange } from '../../api/seen.ts'
import { findPinned } from '../../catalog/documents.ts'
import { patchConnectionSchema } from '../../connections/input.ts'
import { patchConnection } from '../../connections/put.ts'
import { getConnection, getCredentialNames } from '../../connections/read.ts'
import { readSeen } from '../../connections/seen.ts'
import { everyKind } from '../../work/wake.ts'
import { noStore } from '../security-headers.ts'
import { connectionForm } from './connection-form.ts'
import { checkedInput, connectionInput, formOfConnection, placedRefusal } from './connection-input.ts'
import type { ConnectionFormDeps } from './connection-new.ts'
import { connectionPath, nameOf } from './connection-path.ts'
import { staleRefusal } from './fields.ts'
import { type Form, postedForm } from './form.ts'
import { principalOf, requireSignIn, type Viewer } from './guard.ts'
import { html } from './html.ts'
import { page } from './layout.ts'
import { toldOn } from './notice.ts'
import { answerForm, forForms } from './posted.ts'
import { providerDocsPath } from './provider-docs.ts'

export function mountConnectionChange(app: IRouter, deps: ConnectionFormDeps): void {
  const { db, basePath } = deps

  app.get('/connections/:name/edit', noStore, requireSignIn(deps, 'admin'), async (request, response) => {
    const found = await read(nameOf(request))
    const content = { form: shownBy(found), seen: found.seen }
    response.type('html').send(formPage(found, content, principalOf(response)))
  })

  app.post('/connections/:name/edit', ...forForms(deps, 'admin'), async (request, response) => {
    const form = postedForm(request)
    const found = await read(nameOf(request))
    const { one, provider, stored } = found
    // Blank fields clear what is stored, but a form without its fields is none.
    if (form.values('baseUrl').length === 0) throw invalid('baseUrl', 'must be sent, blank or not')
    const input = connectionInput(form, provider, { one, shown: shownBy(found) })
    const seen = form.value('seen')
    await answerForm(deps, request, response, {
      act: (by) => {
        const { credentials, blank, errors: _errors, ...fields } = input
        const named = [...Object.keys(credentials), ...blank]
        const isNewForm = blank.some((name) => !stored.includes(name)) || stored.some((name) => !named.includes(name))
        const isKept = Object.keys(credentials).length === 0 && !isNewForm
        const given = { ...fields, ...(!isKept && { credentials }) }
        const change = checkedInput(input, given, { guard: deps.guard, provider, schema: patchConnectionSchema })
        const options = { keepCredentials: blank, seen: seen === '' ? null : seen }
        return patchConnection({ ...deps, by }, one.name, change, options)
      },
      next: (done) => toldOn(connectionPath('', one.name), done),
      again: async (refusal) => {
        const isStale = refusal instanceof StaleChange
        const now = isStale ? await read(one.name) : found
        const placed = isStale
          ? staleRefusal(refusal, shownBy(now))
          : (placedRefusal(refusal, form, provider, input, stored) ?? refusal)
        const content = { form: form.refused(placed), seen: isStale ? now.seen : seen }
        return formPage(now, content, principalOf(response))
      },
      wakes: everyKind,
    })
  })

  type Found = Awaited<ReturnType<typeof read>>

  async function read(name: string) {
    // The digest is read first. If another person changes a field between both reads, the save is refused.
    const seen = await readSeen(deps, name)
    const one = await getConnection(deps, name)
    const pinned = await findPinned(db, one)
    if (!pinned) throw new AppError('conflict', `This version doesn’t know the provider ${one.provider}.`)
    return { one, provider: pinned.provider, stored: await getCredentialNames(deps, name), seen }
  }

  function shownBy({ one, provider, stored }: Found): Form {
    return formOfConnection(one, provider, stored)
  }

  function formPage({ one, provider, stored }: Found, shown: { form: Form; seen: string }, viewer: Viewer): string {
    const path = connectionPath(basePath, one.name)
    const title = `Change ${one.name}`
    const docs = providerDocsPath(basePath, provider.name)
    const content = connectionForm({ ...shown, provider, stored, action: `${path}/edit`, back: path, docs })
    const body = html`<h1>${title}</h1>${content}`
    const isAnswer = shown.form.refusal !== null
    return page({ title, body, basePath, viewer, section: '/connections', isAnswer })
  }
}
