// Owns the page that shows at a glance what is being tracked.
import type { IRouter } from 'express'
import type { Clock } from '../../base/clock.ts'
import type { ApiConnection } from '../../connections/present.ts'
import { listConnections } from '../../connections/read.ts'
import type { Database } from '../../db/client.ts'
import { countByState } from '../../imports/count.ts'
import type { ApiImport } from '../../imports/present.ts'
import { listImports } from '../../imports/read.ts'
import { states } from '../../model/import-state.ts'
import type { Queues } from '../../queue/queues.ts'
import { describeTroubles } from '../../work/troubles.ts'
import { noStore } from '../security-headers.ts'
import { type PageGuardDeps, principalOf, requireSignIn } from './guard.ts'
import { type Html, html } from './html.ts'
import { page } from './layout.ts'

const recentImports = 50
const shownConnections = 100
const refreshSeconds = 5

interface Deps extends PageGuardDeps {
  db: Database
  clock: Clock
  queues: Queues['all']
}

export function mountDashboard(app: IRouter, deps: Deps): void {
  app.get('/', noStore, requireSignIn(deps, 'read'), async (_request, response) => {
    const [counts, recent, connections, troubles] = await Promise.all([
      countByState(deps),
      listImports(deps, { limit: recentImports }),
      listConnections(deps, { limit: shownConnections }),
      describeTroubles({ all: deps.queues }),
    ])
    const body = html`${troubles.length > 0 ? troubleCard(troubles) : null}
<section class="counts">${states.map((state) => countCard(state, counts[state]))}</section>
<section class="card"><h2>Recent imports</h2>${importTable(recent.data)}</section>
<section class="card"><h2>Connections</h2>${connectionTable(connections.data)}</section>`
    const viewer = principalOf(response)
    response.type('html').send(page({ title: 'Imports', body, basePath: deps.basePath, viewer, refreshSeconds }))
  })
}

function troubleCard(troubles: readonly string[]): Html {
  return html`<section class="card"><h2>Work stands still</h2><ul>${troubles.map((one) => html`<li>${one}</li>`)}</ul></section>`
}

function countCard(state: string, count: number): Html {
  return html`<div class="count ${state}"><b>${count.toLocaleString('en')}</b><span>${state}</span></div>`
}

function importTable(imports: readonly ApiImport[]): Html {
  if (imports.length === 0) return html`<p>None yet: register one with <code>POST /v1/imports</code>.</p>`
  return html`<table>
<thead><tr><th>Job</th><th>Connection</th><th>State</th><th>Progress</th><th>Rows</th><th>Failed</th><th>Polls</th><th>Registered</th></tr></thead>
<tbody>${imports.map(importRow)}</tbody>
</table>`
}

function importRow(one: ApiImport): Html {
  const note = one.lostReason ?? one.attention ?? one.lastError?.code ?? null
  return html`<tr>
<td><code>${one.jobId}</code></td>
<td>${one.connection} <small>${one.provider}</small></td>
<td><span class="state ${one.state}">${one.state}</span>${note === null ? null : html` <small>${note}</small>`}</td>
<td>${progress(one)}</td>
<td class="number">${number(one.rows.processed)}${one.rows.total === null ? null : html` / ${number(one.rows.total)}`}</td>
<td class="number">${number(one.rows.failed)}</td>
<td class="number">${one.polls}</td>
<td><time datetime="${one.registeredAt}">${moment(one.registeredAt)}</time></td>
</tr>`
}

function progress({ progress }: ApiImport): Html {
  if (progress === null) return html`–`
  const percent = Math.floor(progress * 100)
  return html`<progress value="${progress}" max="1">${percent} %</progress> <small>${percent} %</small>`
}

function connectionTable(connections: readonly ApiConnection[]): Html {
  if (connections.length === 0) return html`<p>None yet: make one with <code>PUT /v1/connections/{name}</code>.</p>`
  return html`<table>
<thead><tr><th>Name</th><th>Provider</th><th>Base URL</th><th>Status</th></tr></thead>
<tbody>${connections.map(connectionRow)}</tbody>
</table>`
}

function connectionRow(one: ApiConnection): Html {
  return html`<tr>
<td>${one.name}</td>
<td>${one.provider}</td>
<td>${one.baseUrl ?? html`<small>default</small>`}</td>
<td>${one.pausedAt === null ? html`<span class="state succeeded">active</span>` : pausedNote(one.pausedAt, one.pauseReason)}</td>
</tr>`
}

function pausedNote(pausedAt: string, reason: ApiConnection['pauseReason']): Html {
  const what = reason === 'forbidden' ? 'imports refused' : 'credentials refused'
  return html`<span class="state failed">paused</span> <small>${what} since ${moment(pausedAt)}</small>`
}

function number(value: number | null): string {
  return value === null ? '–' : value.toLocaleString('en')
}

function moment(iso: string): string {
  return `${iso.slice(0, 16).replace('T', ' ')} UTC`
}
