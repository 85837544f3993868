// Owns the list of connections and the page of each, with what is known of it.
import type { IRouter, Request, Response } from 'express'
import type { ApiAction } from '../../actions/present.ts'
import type { Encryption } from '../../base/encryption.ts'
import type { ApiConnection } from '../../connections/present.ts'
import { getConnection, listConnections } from '../../connections/read.ts'
import { countedImports, countImports, readStanding, type Standing } from '../../connections/standing.ts'
import type { Guard } from '../../egress/guard.ts'
import { listImports } from '../../imports/read.ts'
import { type ImportState, states } from '../../model/import-state.ts'
import { readOutcomeDays } from '../../reporting/outcome-days.ts'
import { allows } from '../../tokens/scope.ts'
import { noStore } from '../security-headers.ts'
import { changes } from './changes.ts'
import { mountConnectionChange } from './connection-change.ts'
import { mountConnectionDelete } from './connection-delete.ts'
import { mountNewConnection } from './connection-new.ts'
import { connectionPath, nameOf } from './connection-path.ts'
import {
  type ConnectionSteeringDeps,
  connectionSteering,
  mountConnectionSteering,
  testNotice,
} from './connection-steering.ts'
import { connectionStatus, connectionTable, whyPaused } from './connection-table.ts'
import { at, counted, duration, number, stateBadge, when } from './format.ts'
import { principalOf, requireSignIn } from './guard.ts'
import { type Html, html } from './html.ts'
import { importTable } from './import-table.ts'
import { page } from './layout.ts'
import { justDone, notice } from './notice.ts'
import { firstDay, outcomesCard } from './outcomes.ts'
import { paging, placeIn } from './paging.ts'

const shownConnections = 200
const shownImports = 20
const refreshSeconds = 5

interface Deps extends ConnectionSteeringDeps {
  encryption: Encryption
  /** The rules for the addresses of providers. */
  guard: Guard
}

export function mountConnections(app: IRouter, deps: Deps): void {
  const { basePath, clock } = deps
  const shown = { basePath, section: '/connections' }

  app.get('/connections', noStore, requireSignIn(deps, 'read'), async (request, response) => {
    const query = placeIn(request.query)
    const list = await listConnections(deps, { limit: shownConnections, ...Object.fromEntries(query) })
    const gone = await justDone(deps, request, response, ({ verb }) => verb === 'connection.delete')
    const viewer = principalOf(response)
    const isAdmin = allows(viewer.scope, 'admin')
    const body = html`${notice(gone)}<div class="heading"><h1>Connections</h1>${isAdmin ? html`<a class="button" href="${basePath}/connections/new">New connection</a>` : null}</div>
<section class="card" aria-label="Connections">${connectionTable(list.data, { basePath, now: clock.now(), isAdmin })}${paging(list.next, { path: `${basePath}/connections`, query })}</section>`
    response.type('html').send(page({ ...shown, title: 'Connections', body, viewer, refreshSeconds }))
  })

  mountNewConnection(app, deps)
  mountConnectionChange(app, deps)
  mountConnectionDelete(app, deps)
  mountConnectionSteering(app, deps)

  app.get('/connections/:name', noStore, requireSignIn(deps, 'read'), async (request, response) => {
    response.type('html').send(await connectionPage(request, response))
  })

  async function connectionPage(request: Request, response: Response): Promise<string> {
    const one = await getConnection(deps, nameOf(request))
    const [imports, standing, counts] = await Promise.all([
      listImports(deps, { connection: one.name, limit: shownImports }),
      readStanding(deps, one.name),
      countImports(deps, one.name),
    ])
    const now = clock.now()
    const days = await readOutcomeDays(deps, { since: firstDay(now), connection: one.name })
    const viewer = principalOf(response)
    const done = await justDone(deps, request, response, isAbout)
    function isAbout({ subject }: ApiAction): boolean {
      return subject.kind === 'connection' && subject.name === one.name
    }
    const list = `${basePath}/imports?${new URLSearchParams({ connection: one.name })}`
    const body = html`${done?.verb === 'connection.test' ? testNotice(done) : notice(done)}
<h1 class="job"><span>Connection</span> ${one.name}</h1>
${facts(one, standing, now)}
${allows(viewer.scope, 'admin') ? connectionSteering(one, connectionPath(basePath, one.name)) : null}
${outcomesCard(days, { basePath, now, connection: one.name })}
<section class="card" aria-labelledby="imports"><div class="heading"><h2 id="imports"><a href="${list}">Imports</a></h2>${allows(viewer.scope, 'write') ? html`<a class="button" href="${basePath}/imports/new?${new URLSearchParams({ connection: one.name }).toString()}">Register an import</a>` : null}</div>
${
  imports.data.length === 0
    ? html`<p>None yet.</p>`
    : html`${byState(list, counts)}${importTable(imports.data, { basePath, now, caption: 'Its newest imports', isOfOneConnection: true })}`
}</section>
${await changes(deps, { connection: one.name }, { basePath, now })}`
    return page({ ...shown, title: one.name, body, viewer, refreshSeconds })
  }
}

/** Links to its imports by state, with their numbers where they are few enough to be counted. */
function byState(list: string, counts: ReadonlyMap<ImportState, number>): Html {
  const isCounted = [...counts.values()].reduce((sum, count) => sum + count, 0) <= countedImports
  const shown = states.filter((state) => !isCounted || counts.has(state))
  return html`<ul class="state-links" aria-label="Its imports by state">${shown.map(
    (state) =>
      html`<li><a href="${list}&state=${state}">${stateBadge(state)}${isCounted ? html` <span class="number">${number(counts.get(state) ?? 0)}</span>` : null}</a></li>`,
  )}</ul>`
}

/** Why it isn't asked now, and until when. Null: nothing holds it up. */
function holdUp(one: ApiConnection, { nextProbeAt, nextRequestAt, windows }: Standing, now: Date): Html | null {
  if (one.pausedAt !== null) {
    return html`<p class="notice bad"><b>Paused ${when(one.pausedAt, now)}:</b> the provider ${whyPaused(one.pauseReason)}. ${
      nextProbeAt === null
        ? null
        : html`One import asks again ${when(nextProbeAt, now)}; all others wait until that is answered. `
    }New credentials resume it at once.</p>`
  }
  if (one.blockedUntil !== null && Date.parse(one.blockedUntil) > now.getTime())
    return html`<p class="notice warn"><b>Waiting:</b> the provider asked for no calls until ${at(one.blockedUntil, now)}.</p>`
  const usedUp = windows.filter(({ used, limit }) => limit !== null && used >= limit)
  if (usedUp.length > 0)
    return html`<p class="notice warn"><b>Waiting:</b> its requests of ${usedUp.map(({ name }) => name).join(' and ')} are used up. The next one goes ${at(nextRequestAt, now)}.</p>`
  return null
}

function facts(one: ApiConnection, standing: Standing, now: Date): Html {
  const { effectiveLimits: limits, usage } = one
  const settings = Object.keys(one.settings).length === 0 ? null : JSON.stringify(one.settings)
  const amount = (value: number | null) => (value === null ? 'no limit' : number(value))
  return html`<section class="card" aria-label="What is known"><p class="lead"><span>${connectionStatus(one, now)}</span></p>
${holdUp(one, standing, now)}
<div class="columns"><dl class="facts">
<dt>Provider</dt><dd>${one.provider}</dd>
<dt>Base URL</dt><dd>${one.baseUrl ?? 'the provider’s own'}</dd>
${settings === null ? null : html`<dt>Settings</dt><dd><code>${settings}</code></dd>`}
${one.baselineBy.length === 0 ? null : html`<dt>Told apart by</dt><dd><code>${one.baselineBy.join(', ')}</code></dd>`}
${one.volatileFields.length === 0 ? null : html`<dt>Volatile fields</dt><dd><code>${one.volatileFields.join(', ')}</code></dd>`}
<dt>Used in ${usage.month}</dt><dd>${counted(usage.used, 'request')}${usage.left === null ? null : html`, ${number(usage.left)} left`}${runsOut(one, now)}</dd>
${standing.windows.filter(({ name }) => name !== usage.month).map(usedToday)}
<dt>Next request</dt><dd>${pace(one, standing, now)}</dd>
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

/** A rate is told once the connection has shown one: a single request of its first minute is none. */
const rateShownAfterMs = 3_600_000

/** When the month's requests are used up. Null: they last, or the connection has made too few to tell. */
function runsOut({ createdAt, effectiveLimits, usage: { used, runsOutAt } }: ApiConnection, now: Date): Html | null {
  const isYoung = now.getTime() - Date.parse(createdAt) < rateShownAfterMs
  const isSlight = used * 10 < (effectiveLimits.requestsPerMonth ?? 0)
  return runsOutAt === null || (isYoung && isSlight) ? null : html`; runs out ${at(runsOutAt, now)}`
}

function usedToday({ name, used, limit }: Standing['windows'][number]): Html {
  return html`<dt>Used on ${name}</dt><dd>${counted(used, 'request')}${limit === null ? null : html`, ${number(Math.max(0, limit - used))} left`}</dd>`
}

/** What the pace of a second or a minute allows. */
function pace({ effectiveLimits: limits }: ApiConnection, { nextRequestAt }: Standing, now: Date): Html {
  const isNow = Date.parse(nextRequestAt) <= now.getTime()
  const isPaced = limits.requestsPerSecond !== null || limits.requestsPerMinute !== null
  return html`${isNow ? 'may go now' : when(nextRequestAt, now)}${isPaced ? html` <small>at an even pace</small>` : null}`
}
