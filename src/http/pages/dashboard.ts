// Owns the page that shows at a glance what is being tracked.
import type { IRouter } from 'express'
import type { Clock } from '../../base/clock.ts'
import type { Encryption } from '../../base/encryption.ts'
import { listConnections } from '../../connections/read.ts'
import type { Database } from '../../db/client.ts'
import { listImports } from '../../imports/read.ts'
import type { Queues } from '../../queue/queues.ts'
import { allows } from '../../tokens/scope.ts'
import { describeTroubles } from '../../work/troubles.ts'
import { noStore } from '../security-headers.ts'
import { attentionCard, type NeedsAttention } from './attention.ts'
import { connectionTable } from './connection-table.ts'
import { connectionTrends } from './connection-trends.ts'
import { firstSteps } from './first-steps.ts'
import { number } from './format.ts'
import { type PageGuardDeps, principalOf, requireSignIn } from './guard.ts'
import { type Html, html } from './html.ts'
import { importTable, noImports } from './import-table.ts'
import { page } from './layout.ts'
import type { Outcomes } from './outcomes.ts'
import { type StateCounts, stateCounts } from './state-counts.ts'

const recentImports = 10
const shownConnections = 100
const refreshSeconds = 5

interface Deps extends PageGuardDeps {
  db: Database
  clock: Clock
  encryption: Encryption
  queues: Queues['all']
  counts: StateCounts
  attention: () => Promise<NeedsAttention>
  outcomes: () => Promise<Outcomes>
}

export function mountDashboard(app: IRouter, deps: Deps): void {
  const { basePath, clock } = deps
  app.get('/', noStore, requireSignIn(deps, 'read'), async (request, response) => {
    const viewer = principalOf(response)
    const [steps, counts, attention, outcomes, recent, connections, troubles] = await Promise.all([
      firstSteps(deps, request, viewer),
      deps.counts(),
      deps.attention(),
      deps.outcomes(),
      listImports(deps, { limit: recentImports }),
      listConnections(deps, { limit: shownConnections }),
      describeTroubles({ all: deps.queues }),
    ])
    const shown = { basePath, now: clock.now() }
    const isAdmin = allows(viewer.scope, 'admin')
    const body = html`<h1>Overview</h1>
${steps}
${troubles.length > 0 ? troubleCard(troubles) : null}
${troubles.length > 0 && attention.items.length === 0 ? null : attentionCard(attention, { basePath, isAdmin })}
${stateCounts(`${basePath}/imports`, counts)}
${outcomes.card}
<section class="card"><h2><a href="${basePath}/imports">Recent imports</a></h2>${
      recent.data.length === 0
        ? noImports(viewer, basePath)
        : importTable(recent.data, { ...shown, caption: 'The imports that were registered last' })
    }</section>
<section class="card"><h2><a href="${basePath}/connections">Connections</a></h2>${
      connections.data.length === 0
        ? connectionTable([], { ...shown, isAdmin })
        : html`${connectionTrends(connections.data, outcomes.days, shown)}${
            connections.next === null
              ? null
              : html`<p><small>The first ${number(shownConnections)}; <a href="${basePath}/connections">all connections</a>.</small></p>`
          }`
    }</section>`
    response.type('html').send(page({ title: 'Overview', body, basePath, viewer, section: '/', refreshSeconds }))
  })
}

function troubleCard(troubles: readonly string[]): Html {
  return html`<section class="card" role="alert"><h2>Work stands still</h2><ul>${troubles.map((one) => html`<li>${one}</li>`)}</ul></section>`
}
