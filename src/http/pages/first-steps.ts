// Owns the walk of the first start: connection, import, endpoint. It is there until all three exist, and can be left.
import { parseCookie, stringifySetCookie } from 'cookie'
import type { IRouter, Request } from 'express'
import type { Clock } from '../../base/clock.ts'
import type { Encryption } from '../../base/encryption.ts'
import { listConnections } from '../../connections/read.ts'
import type { Database } from '../../db/client.ts'
import { listImports } from '../../imports/read.ts'
import type { Principal } from '../../tokens/authenticate.ts'
import { allows, type Scope } from '../../tokens/scope.ts'
import { listEndpoints } from '../../webhooks/endpoints/read.ts'
import { badge } from './format.ts'
import type { PageGuardDeps } from './guard.ts'
import { type Html, html } from './html.ts'
import { forForms } from './posted.ts'

const cookieName = 'import_tracker_first_steps'
const leftForS = 365 * 86_400

interface Deps {
  db: Database
  clock: Clock
  encryption: Encryption
  basePath: string
}

interface Step {
  isDone: boolean
  scope: Scope
  title: string
  text: string
  verb: string
  path: string
}

/** Returns the steps for the overview's top. Null: all are done, this viewer may do none of them, or has left them. */
export async function firstSteps(deps: Deps, request: Request, viewer: Principal): Promise<Html | null> {
  if (!allows(viewer.scope, 'write') || hasLeft(request)) return null
  const [connections, imports, endpoints] = await Promise.all([
    listConnections(deps, { limit: 1 }),
    listImports(deps, { limit: 1 }),
    listEndpoints(deps, { limit: 1 }),
  ])
  const steps: Step[] = [
    {
      isDone: connections.data.length > 0,
      scope: 'admin',
      title: 'Make a connection',
      text: 'An account at a provider: which one, and the credentials to ask it with.',
      verb: 'Make a connection',
      path: '/connections/new',
    },
    {
      isDone: imports.data.length > 0,
      scope: 'write',
      title: 'Register an import',
      text: 'A job that runs there, by its id. It is polled from then on until it is over.',
      verb: 'Register an import',
      path: '/imports/new',
    },
    {
      isDone: endpoints.data.length > 0,
      scope: 'admin',
      title: 'Add a webhook endpoint',
      text: 'Where your services are told what came of it.',
      verb: 'Add an endpoint',
      path: '/webhooks#new',
    },
  ]
  return steps.every(({ isDone }) => isDone) ? null : walk(steps, viewer, deps.basePath)
}

function walk(steps: readonly Step[], viewer: Principal, basePath: string): Html {
  const next = steps.findIndex(({ isDone }) => !isDone)
  return html`<section class="card first-steps" aria-labelledby="first-steps"><h2 id="first-steps">First steps</h2>
<ol>${steps.map((step, index) => html`<li${index === next ? html` aria-current="step"` : null}>${stepBadge(step, index === next)}<div><b>${step.title}</b><p>${step.text}</p>${index === next ? way(step, viewer, basePath) : null}</div></li>`)}</ol>
<form method="post" action="${basePath}/first-steps/leave"><button class="small">Leave the first steps</button></form></section>`
}

function stepBadge({ isDone }: Step, isNext: boolean): Html {
  if (isDone) return badge('good', '✓', 'done')
  return isNext ? badge('warn', '▶', 'next') : badge('plain', '○', 'later')
}

function way({ scope, verb, path }: Step, viewer: Principal, basePath: string): Html {
  return allows(viewer.scope, scope)
    ? html`<p><a class="button primary" href="${basePath}${path}">${verb}</a></p>`
    : html`<p><small>This needs somebody whose token has the scope ${scope}.</small></p>`
}

export function mountFirstSteps(app: IRouter, deps: PageGuardDeps): void {
  const { basePath } = deps
  app.post('/first-steps/leave', ...forForms(deps, 'read'), (_request, response) => {
    response.append(
      'set-cookie',
      stringifySetCookie({
        name: cookieName,
        value: 'left',
        path: basePath === '' ? '/' : basePath,
        httpOnly: true,
        sameSite: 'lax',
        maxAge: leftForS,
      }),
    )
    response.redirect(303, `${basePath}/`)
  })
}

function hasLeft(request: Request): boolean {
  return parseCookie(request.headers.cookie ?? '')[cookieName] === 'left'
}
