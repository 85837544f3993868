// Owns the list of connections and the page of each, with trying and resuming it.
import type { IRouter, Request } from 'express'
import { storableText } from '../../base/storable-text.ts'
import type { ApiConnection } from '../../connections/present.ts'
import { getConnection, listConnections } from '../../connections/read.ts'
import { resumeConnectionByName } from '../../connections/resume.ts'
import { type ConnectionTest, type TestDeps, testConnection } from '../../connections/test.ts'
import { listImports } from '../../imports/read.ts'
import { allows } from '../../tokens/scope.ts'
import { everyKind, type Wake } from '../../work/wake.ts'
import { requireSameOrigin } from '../same-origin.ts'
import { noStore } from '../security-headers.ts'
import { connectionStatus, connectionTable } from './connection-table.ts'
import { readForm } from './form.ts'
import { at, counted, duration, number } from './format.ts'
import { type PageGuardDeps, principalOf, requireSignIn } from './guard.ts'
import { type Html, html } from './html.ts'
import { importTable } from './import-table.ts'
import { page } from './layout.ts'

const shownConnections = 1_000
const shownImports = 20

interface Deps extends PageGuardDeps, TestDeps {
  wake: Wake
  /** Aborts when the server stops. */
  stopping: AbortSignal
}

export function mountConnections(app: IRouter, deps: Deps): void {
  const { basePath, clock } = deps
  const shown = { basePath, section: '/connections' }

  app.get('/connections', noStore, requireSignIn(deps, 'read'), async (_request, response) => {
    const { data } = await listConnections(deps, { limit: shownConnections })
    const body = html`<h1>Connections</h1>
<section class="card" aria-label="Connections">${connectionTable(data, { basePath, now: clock.now() })}</section>`
    response.type('html').send(page({ ...shown, title: 'Connections', body, viewer: principalOf(response) }))
  })

  app.get('/connections/:name', noStore, requireSignIn(deps, 'read'), async (request, response) => {
    response.type('html').send(await connectionPage(request, response, null))
  })

  app.post(
    '/connections/:name/test',
    noStore,
    requireSignIn(deps, 'admin'),
    requireSameOrigin,
    readForm,
    async (request, response) => {
      const result = await testConnection(deps, nameOf(request), deps.stopping)
      response.type('html').send(await connectionPage(request, response, result)) // nothing has changed that a reload would repeat
    },
  )

  app.post(
    '/connections/:name/resume',
    noStore,
    requireSignIn(deps, 'admin'),
    requireSameOrigin,
    readForm,
    async (request, response) => {
      const { name } = await resumeConnectionByName(deps, nameOf(request))
      deps.wake(everyKind)
      response.redirect(303, `${basePath}/connections/${encodeURIComponent(name)}`)
    },
  )

  async function connectionPage(
    request: Request,
    response: Parameters<typeof principalOf>[0],
    test: ConnectionTest | null,
  ): Promise<string> {
    const one = await getConnection(deps, nameOf(request))
    const imports = await listImports(deps, { connection: one.name, limit: shownImports })
    const now = clock.now()
    const viewer = principalOf(response)
    const path = `${basePath}/connections/${encodeURIComponent(one.name)}`
    const list = `${basePath}/imports?${new URLSearchParams({ connection: one.name })}`
    const body = html`${test === null ? null : html`<p class="notice ${test.ok ? 'good' : 'bad'}" role="status"><b>${test.ok ? 'It works' : 'It failed'}:</b> ${test.message} <small>${test.code}</small></p>`}
<h1 class="job"><span>Connection</span> ${one.name}</h1>
${facts(one, now)}
${allows(viewer.scope, 'admin') ? actions(one, path) : null}
<section class="card" aria-labelledby="imports"><h2 id="imports"><a href="${list}">Imports</a></h2>${
      imports.data.length === 0
        ? html`<p>None yet.</p>`
        : importTable(imports.data, { basePath, now, caption: 'Its newest imports' })
    }</section>`
    return page({ ...shown, title: one.name, body, viewer })
  }
}

function facts(one: ApiConnection, now: Date): Html {
  const { effectiveLimits: limits, usage } = one
  const settings = Object.keys(one.settings).length === 0 ? 'none' : JSON.stringify(one.settings)
  const amount = (value: number | null) => (value === null ? 'no limit' : number(value))
  return html`<section class="card" aria-label="What is known"><p class="lead"><span>${connectionStatus(one, now)}</span></p>
<div class="columns"><dl class="facts">
<dt>Provider</dt><dd>${one.provider}</dd>
<dt>Base URL</dt><dd>${one.baseUrl ?? 'the provider’s own'}</dd>
<dt>Settings</dt><dd>${settings === 'none' ? settings : html`<code>${settings}</code>`}</dd>
<dt>Blocked until</dt><dd>${at(one.blockedUntil, now)}</dd>
<dt>Used in ${usage.month}</dt><dd>${counted(usage.used, 'request')}${usage.left === null ? null : html`, ${number(usage.left)} left`}${usage.runsOutAt === null ? null : html`; runs out ${at(usage.runsOutAt, now)}`}</dd>
<dt>Usual duration</dt><dd>${one.usualDurationMs === null ? '–' : duration(one.usualDurationMs)}</dd>
<dt>Created</dt><dd>${at(one.createdAt, now)}</dd>
<dt>Changed</dt><dd>${at(one.updatedAt, now)}</dd>
</dl><dl class="facts numbers">
<dt>Requests a second</dt><dd>${amount(limits.requestsPerSecond)}</dd>
<dt>Requests a minute</dt><dd>${amount(limits.requestsPerMinute)}</dd>
<dt>Requests a day</dt><dd>${amount(limits.requestsPerDay)}</dd>
<dt>Requests a month</dt><dd>${amount(limits.requestsPerMonth)}</dd>
<dt>At once</dt><dd>${number(limits.maxInFlight)}</dd>
<dt>Asks every</dt><dd>${duration(limits.minIntervalMs)} to ${duration(limits.maxIntervalMs)}</dd>
<dt>Gives up after</dt><dd>${duration(limits.deadlineMs)}</dd>
</dl></div></section>`
}

function actions(one: ApiConnection, path: string): Html {
  const resume =
    one.pausedAt === null
      ? html`<p class="cannot"><b>Resume</b> <small>It isn’t paused.</small></p>`
      : html`<form method="post" action="${path}/resume"><button class="primary">Resume</button></form>`
  return html`<section class="card" aria-labelledby="actions"><h2 id="actions">Actions</h2><div class="steering">
<form method="post" action="${path}/test"><button>Try its credentials</button></form>${resume}</div></section>`
}

function nameOf(request: Request): string {
  return storableText(String(request.params.name))
}
