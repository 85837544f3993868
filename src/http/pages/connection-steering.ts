// Owns what may be done with a connection on its page: trying its credentials, resuming it, and the ways to its forms.
import type { IRouter } from 'express'
import type { ApiAction } from '../../actions/present.ts'
import type { ApiConnection } from '../../connections/present.ts'
import { resumeConnectionByName } from '../../connections/resume.ts'
import { type TestDeps, testConnection } from '../../connections/test.ts'
import { everyKind, type Wake } from '../../work/wake.ts'
import { connectionPath, nameOf } from './connection-path.ts'
import type { PageGuardDeps } from './guard.ts'
import { type Html, html } from './html.ts'
import { toldOn } from './notice.ts'
import { answerForm, forForms, keyField } from './posted.ts'

export interface ConnectionSteeringDeps extends PageGuardDeps, TestDeps {
  wake: Wake
  /** Aborts when the server stops. */
  stopping: AbortSignal
}

export function connectionSteering(one: ApiConnection, path: string): Html {
  const resume =
    one.pausedAt === null
      ? html`<p class="cannot"><b>Resume</b> <small>It isn’t paused.</small></p>`
      : html`<form method="post" action="${path}/resume">${keyField()}<button class="primary">Resume</button></form>`
  return html`<section class="card" aria-labelledby="actions"><h2 id="actions">Actions</h2><div class="steering">
<form method="post" action="${path}/test">${keyField()}<button>Try its credentials</button></form>${resume}
<a class="button" href="${path}/edit">Change …</a><a class="button" href="${path}/delete">Delete …</a></div></section>`
}

/** What trying it has come to, or that it isn’t known yet. */
export function testNotice({ details }: Pick<ApiAction, 'details'>): Html {
  const { ok, code, message }: Record<string, unknown> = details ?? {}
  if (typeof code !== 'string' || typeof message !== 'string')
    return html`<p class="notice warn" role="status"><b>It is being tried</b>, which may take some twenty seconds. <a href="">Look again</a></p>`
  return html`<p class="notice ${ok === true ? 'good' : 'bad'}" role="status"><b>${ok === true ? 'It works' : 'It failed'}:</b> ${message} <small>${code}</small></p>`
}

export function mountConnectionSteering(app: IRouter, deps: ConnectionSteeringDeps): void {
  app.post('/connections/:name/test', ...forForms(deps, 'admin'), (request, response) => {
    const name = nameOf(request)
    return answerForm(deps, request, response, {
      act: (by) => testConnection({ ...deps, by }, name, deps.stopping),
      next: (done) => toldOn(connectionPath('', name), done),
    })
  })

  app.post('/connections/:name/resume', ...forForms(deps, 'admin'), (request, response) => {
    const name = nameOf(request)
    return answerForm(deps, request, response, {
      act: (by) => resumeConnectionByName({ ...deps, by }, name),
      next: (done) => toldOn(connectionPath('', name), done),
      wakes: everyKind,
    })
  })
}
