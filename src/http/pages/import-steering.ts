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
import { requireSameOrigin } from '../same-origin.ts'
import { noStore } from '../security-headers.ts'
import { fieldOf, readForm } from './form.ts'
import { type PageGuardDeps, principalOf, requireSignIn } from './guard.ts'
import { type Html, html } from './html.ts'
import { type About, section } from './import-about.ts'

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
    html`<form method="post" action="${path}/${action}"><button>${text}</button></form>`
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
  return html`<details><summary>Track again …</summary><form method="post" action="${path}/resume"><p>The provider has ended this import (${state}). Tracking it again is for a job that was run once more under the same id: what is known of its outcome is reset.</p><input type="hidden" name="force" value="true"><button>Track it again</button></form></details>`
}

function deleting(path: string): Html {
  return html`<details><summary>Delete …</summary><form method="post" action="${path}/delete"><p>This deletes the import with its history, its rows, its events and the log of their deliveries. Nothing brings them back.</p><button class="danger">Delete this import</button></form></details>`
}

const done: Record<string, string> = {
  poll: 'The next poll is due now.',
  stop: 'Polling has been stopped. The provider isn’t told, and its job goes on.',
  resume: 'The import is tracked again.',
  register: 'The import is registered, and tracked from now on.',
  known: 'This job had been registered before. Nothing was changed.',
}

/** What was done before this page was shown. */
export function told(did: unknown): Html | null {
  const text = typeof did === 'string' && Object.hasOwn(done, did) ? done[did] : undefined
  return text === undefined ? null : html`<p class="notice good" role="status">${text}</p>`
}

type ActingDeps = SteeringDeps & Acting

export function mountImportSteering(app: IRouter, deps: SteeringDeps): void {
  const { basePath } = deps
  const action = (
    name: string,
    scope: Scope,
    act: (deps: ActingDeps, id: string, request: Request) => Promise<string>,
  ) =>
    app.post(
      `/imports/:id/${name}`,
      noStore,
      requireSignIn(deps, scope),
      requireSameOrigin,
      readForm,
      async (request, response) => {
        const id = idOf(request)
        const next = await act({ ...deps, by: principalOf(response) }, id, request)
        deps.wake(everyKind)
        response.redirect(303, `${basePath}${next}`)
      },
    )

  action('poll', 'write', async (deps, id) => {
    await pollNow(deps, id)
    return `/imports/${id}?did=poll`
  })
  action('stop', 'write', async (deps, id) => {
    await stopImport(deps, id)
    return `/imports/${id}?did=stop`
  })
  action('resume', 'write', async (deps, id, request) => {
    await resumeImport(deps, id, { force: fieldOf(request, 'force') === 'true' })
    return `/imports/${id}?did=resume`
  })
  action('delete', 'admin', async (deps, id) => {
    await deleteImport({ ...deps, db: deps.patientDb ?? deps.db }, id)
    return '/imports'
  })
}

function idOf(request: Request): string {
  const id = String(request.params.id)
  if (!isId(id)) throw notFound('import')
  return id
}
