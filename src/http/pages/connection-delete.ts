// Owns deleting a connection by form.
import type { IRouter } from 'express'
import { deleteConnection } from '../../connections/delete.ts'
import { getConnection } from '../../connections/read.ts'
import { countedImports, countImports } from '../../connections/standing.ts'
import { noStore } from '../security-headers.ts'
import type { ConnectionFormDeps } from './connection-new.ts'
import { connectionPath, nameOf } from './connection-path.ts'
import { refusalNotice } from './fields.ts'
import { type Form, formOf, postedForm } from './form.ts'
import { counted } from './format.ts'
import { principalOf, requireSignIn, type Viewer } from './guard.ts'
import { html } from './html.ts'
import { page } from './layout.ts'
import { toldOn } from './notice.ts'
import { answerForm, forForms, keyField } from './posted.ts'

export function mountConnectionDelete(app: IRouter, deps: ConnectionFormDeps): void {
  const { basePath } = deps

  app.get('/connections/:name/delete', noStore, requireSignIn(deps, 'admin'), async (request, response) => {
    response.type('html').send(await formPage(nameOf(request), formOf({}), principalOf(response)))
  })

  app.post('/connections/:name/delete', ...forForms(deps, 'admin'), async (request, response) => {
    const name = nameOf(request)
    await answerForm(deps, request, response, {
      act: (by) => deleteConnection({ ...deps, by }, name),
      next: (done) => toldOn('/connections', done),
      again: (refusal) => formPage(name, postedForm(request).refused(refusal), principalOf(response)),
    })
  })

  async function formPage(name: string, form: Form, viewer: Viewer): Promise<string> {
    const one = await getConnection(deps, name)
    const counts = await countImports(deps, one.name)
    const total = [...counts.values()].reduce((sum, count) => sum + count, 0)
    const many = total > countedImports ? `more than ${counted(countedImports, 'import')}` : counted(total, 'import')
    const path = connectionPath(basePath, name)
    const title = `Delete ${one.name}?`
    const body = html`<h1>${title}</h1><form class="card form" method="post" action="${path}/delete">${keyField(form)}
${refusalNotice(form, [], 'It wasn’t deleted.')}
<p>${one.name} has ${total === 0 ? 'no imports' : many}. Its credentials are deleted, and its name is free again. Its imports and their history stay.</p>
<div class="actions"><button class="danger">Delete this connection</button><a class="button" href="${path}">Cancel</a></div></form>`
    return page({ title, body, basePath, viewer, section: '/connections', isAnswer: form.refusal !== null })
  }
}
