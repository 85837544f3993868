// Owns the form that registers an import.
import type { IRouter } from 'express'
import { maxPageSize } from '../../api/paging.ts'
import { AppError } from '../../api/refusal.ts'
import { parse } from '../../api/validation.ts'
import type { Clock } from '../../base/clock.ts'
import type { Encryption } from '../../base/encryption.ts'
import { isId } from '../../base/ids.ts'
import { listConnections } from '../../connections/read.ts'
import type { Database } from '../../db/client.ts'
import { registerImport } from '../../imports/register.ts'
import { allows } from '../../tokens/scope.ts'
import { everyKind, type Wake } from '../../work/wake.ts'
import { registrationSchema } from '../routes/registration.ts'
import { noStore } from '../security-headers.ts'
import { durationOf } from './duration-field.ts'
import { linesField, refusalNotice, selectField, textField } from './fields.ts'
import { type Form, formOf, pairsOf, postedForm, tryForm } from './form.ts'
import { type PageGuardDeps, principalOf, requireSignIn, type Viewer } from './guard.ts'
import { type Html, html } from './html.ts'
import { page } from './layout.ts'
import { goodNotice } from './notice.ts'
import { forForms, keyField } from './posted.ts'
import { openNotice, sealNotice } from './sealed-notice.ts'

interface Deps extends PageGuardDeps {
  db: Database
  clock: Clock
  encryption: Encryption
  wake: Wake
}

export function mountNewImport(app: IRouter, deps: Deps): void {
  const { basePath } = deps

  app.get('/imports/new', noStore, requireSignIn(deps, 'write'), async (request, response) => {
    const connection = typeof request.query.connection === 'string' ? request.query.connection : ''
    response.type('html').send(await show(formOf({ connection }), principalOf(response)))
  })

  app.post('/imports', ...forForms(deps, 'write'), async (request, response) => {
    const form = postedForm(request)
    const registered = await tryForm(request, () =>
      registerImport(deps, parse(registrationSchema, registrationOf(form), 'form')),
    )
    if (registered instanceof AppError) {
      const shown = await show(form.refused(registered), principalOf(response))
      return void response.status(registered.status).type('html').send(shown)
    }
    deps.wake(everyKind)
    const { importId, created } = registered
    // Ids sort by time, and the form has one: a form that was sent twice has registered the import itself.
    const key = form.value('key')
    const isNew = created || (isId(key) && importId > key)
    const told = sealNotice(deps.encryption, importId, { isNew } satisfies Registered)
    response.redirect(303, `${basePath}/imports/${importId}?registered=${told}`)
  })

  async function show(form: Form, viewer: Viewer): Promise<string> {
    const { data, next } = await listConnections(deps, { limit: maxPageSize })
    const none = html`<section class="card"><p>An import belongs to a connection, and there is none yet.</p>
${allows(viewer.scope, 'admin') ? html`<p><a class="button primary" href="${basePath}/connections/new">Make a connection</a></p>` : null}</section>`
    const body = html`<h1>Register an import</h1>${data.length === 0 ? none : fields(form, data, next !== null)}`
    return page({
      title: 'Register an import',
      body,
      basePath,
      viewer,
      section: '/imports',
      isAnswer: form.refusal !== null,
    })
  }

  function fields(form: Form, connections: readonly { name: string; provider: string }[], hasMore: boolean) {
    const connection = { name: 'connection', label: 'Connection', required: true }
    const names = ['connection', 'jobId', 'metadata', 'deadlineMs']
    const options = connections.map(({ name, provider }) => [name, `${name} (${provider})`] as const)
    return html`<form class="card form" method="post" action="${basePath}/imports">${keyField(form)}
${refusalNotice(form, names, 'The import wasn’t registered.')}
<div class="fields">
${
  hasMore
    ? textField(form, { ...connection, hint: 'Its name: there are too many to choose from.' })
    : selectField(form, { ...connection, options: [['', 'choose one …'], ...options] })
}
${textField(form, { name: 'jobId', label: 'Job id', required: true, hint: 'As the provider named it when the import was started there.' })}
${linesField(form, { name: 'metadata', label: 'Metadata', placeholder: 'team=sales', hint: 'A key and a value on each line. Stored with the import, and sent with its webhooks.' })}
${textField(form, { name: 'deadlineMs', label: 'Deadline', placeholder: 'the connection’s', hint: 'How long to poll at most, such as 30 min or 7 d.' })}
</div>
<div class="actions"><button class="primary">Register the import</button><a class="button" href="${basePath}/imports">Cancel</a></div>
</form>`
  }
}

interface Registered {
  isNew: boolean
}

/** What registering it by form came to. Null: nobody did so just now. */
export function registeredNotice(encryption: Encryption, importId: string, sealed: unknown): Html | null {
  const told = openNotice<Registered>(encryption, importId, sealed)
  if (told === null) return null
  return goodNotice(
    told.isNew
      ? 'The import is registered, and tracked from now on.'
      : 'This job had been registered before. Nothing was changed.',
  )
}

function registrationOf(form: Form): Record<string, unknown> {
  const jobId = form.value('jobId').trim()
  const metadata = pairsOf(form.value('metadata'), 'metadata')
  const deadline = durationOf(form.value('deadlineMs'), 'deadlineMs')
  return {
    connection: form.value('connection').trim(),
    jobId: jobId === '' ? undefined : jobId,
    ...(Object.keys(metadata).length > 0 && { metadata }),
    ...(deadline !== null && { deadlineMs: deadline }),
  }
}
