// Owns what may be done with an import on its page: the forms, and the reasons where there is none.
import type { IRouter, Request } from 'express'
import type { Acting } from '../../actions/write.ts'
import { notFound } from '../../api/refusal.ts'
import type { Clock } from '../../base/clock.ts'
import { isId } from '../../base/ids.ts'
import type { Database } from '../../db/client.ts'
import { deleteImport } from '../../imports/delete.ts'
import { pollNow } from '../../imports/poll-now.ts'
import { resumeImport } from '../../imports/resume.ts'
import { stopImport } from '../../imports/stop.ts'
import { endedByProvider, isOver } from '../../model/import-state.ts'
import type { Principal } from '../../tokens/authenticate.ts'
import { allows, type Scope } from '../../tokens/scope.ts'
import { everyKind, type Wake } from '../../work/wake.ts'
import { fieldOf } from './form.ts'
import type { PageGuardDeps } from './guard.ts'
import { type Html, html } from './html.ts'
import { type About, section } from './import-about.ts'
import { toldOn } from './notice.ts'
import { answerForm, forForms, keyField } from './posted.ts'

export interface SteeringDeps extends PageGuardDeps {
  db: Database
  /** For statements that may take long. Absent: `db`. */
  patientDb?: Database
  clock: Clock
  wake: Wake
}

export function importSteering({ basePath, one }: About, viewer: Principal): Html | null {
  if (!allows(viewer.scope, 'write')) return null
  const path = `${basePath}/imports/${one.id}`
  const button = (action: string, text: string) =>
    html`<form method="post" action="${path}/${action}">${keyField()}<button>${text}</button></form>`
  const reason = (text: string, why: string) => html`<p class="cannot"><b>${text}</b> <small>${why}</small></p>`
  const over = `The import is over (${one.state}).`
  const parts = [
    isOver(one.state) ? reason('Poll now', over) : button('poll', 'Poll now'),
    isOver(one.state) ? reason('Stop', over) : button('stop', 'Stop'),
    resuming(one.state, path, button, reason),
    allows(viewer.scope, 'admin') ? deleting(path) : null,
  ]
  return section('actions', 'Actions', html`<div class="steering">${parts.filter((part) => part !== null)}</div>`)
}

function resuming(
  state: About['one']['state'],
  path: string,
  button: (action: string, text: string) => Html,
  reason: (text: string, why: string) => Html,
): Html {
  if (!isOver(state)) return reason('Resume', 'It is being tracked.')
  if (!endedByProvider(state)) return button('resume', 'Resume')
  return html`<details><summary>Track again …</summary><form method="post" action="${path}/resume">${keyField()}<p>The provider has ended this import (${state}). Tracking it again is for a job that was run once more under the same id: what is known of its outcome is reset.</p><input type="hidden" name="force" value="true"><button>Track it again</button></form></details>`
}

function deleting(path: string): Html {
  return html`<details><summary>Delete …</summary><form method="post" action="${path}/delete">${keyField()}<p>This deletes the import with its history, its rows, its events and the log of their deliveries. Nothing brings them back.</p><button class="danger">Delete this import</button></form></details>`
}

type ActingDeps = SteeringDeps & Acting

export function mountImportSteering(app: IRouter, deps: SteeringDeps): void {
  const post = (name: string, scope: Scope, act: (deps: ActingDeps, id: string, request: Request) => Promise<void>) =>
    app.post(`/imports/:id/${name}`, ...forForms(deps, scope), (request, response) => {
      const id = idOf(request)
      return answerForm(deps, request, response, {
        act: (by) => act({ ...deps, by }, id, request),
        next: (done) => toldOn(name === 'delete' ? '/imports' : `/imports/${id}`, done),
        wakes: everyKind,
      })
    })

  post('poll', 'write', pollNow)
  post('stop', 'write', stopImport)
  post('resume', 'write', (acting, id, request) =>
    resumeImport(acting, id, { force: fieldOf(request, 'force') === 'true' }),
  )
  post('delete', 'admin', (acting, id) => deleteImport({ ...acting, db: deps.patientDb ?? deps.db }, id))
}

function idOf(request: Request): string {
  const id = String(request.params.id)
  if (!isId(id)) throw notFound('import')
  return id
}
