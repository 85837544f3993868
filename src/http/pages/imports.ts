// Owns the list of imports. Its query string is that of `GET /v1/imports`; what a form writes otherwise is brought into
// that form by a redirect.
import type { IRouter } from 'express'
import { maxPageSize } from '../../api/paging.ts'
import { AppError } from '../../api/refusal.ts'
import { tryParse } from '../../api/validation.ts'
import type { Clock } from '../../base/clock.ts'
import { requireProvider } from '../../catalog/documents.ts'
import { listProviders } from '../../catalog/read.ts'
import { isConnection, listConnections } from '../../connections/read.ts'
import type { Database } from '../../db/client.ts'
import { listImports } from '../../imports/read.ts'
import type { Principal } from '../../tokens/authenticate.ts'
import { allows } from '../../tokens/scope.ts'
import { filterOf, importQuery } from '../import-query.ts'
import { noStore } from '../security-headers.ts'
import { filterComplaint } from './filter-complaint.ts'
import { joined } from './format.ts'
import { type PageGuardDeps, principalOf, requireSignIn } from './guard.ts'
import { type Html, html } from './html.ts'
import { filterForm } from './import-filter.ts'
import { importTable, noImports } from './import-table.ts'
import { page } from './layout.ts'
import { justDone, notice } from './notice.ts'
import { paging } from './paging.ts'
import { canonicalQuery, givenIn, linkWith } from './query.ts'
import { countMatching, isNarrowed, selection } from './select-imports.ts'
import { type StateCounts, stateCounts } from './state-counts.ts'

const shownImports = 50
const namedConnections = 30
const refreshSeconds = 5

interface Deps extends PageGuardDeps {
  db: Database
  clock: Clock
  counts: StateCounts
}

export function mountImports(app: IRouter, deps: Deps): void {
  const { basePath, clock } = deps
  const path = `${basePath}/imports`

  app.get('/imports', noStore, requireSignIn(deps, 'read'), async (request, response) => {
    const { did: _did, ...asked } = request.query
    const query = canonicalQuery(asked)
    const written = new URLSearchParams(request.originalUrl.split('?')[1] ?? '')
    written.delete('did')
    if (query.toString() !== written.toString()) return response.redirect(303, linkWith(path, query))

    const given = tryParse(importQuery, { limit: String(shownImports), ...givenIn(query) }, 'query')
    const [connections, providers, counts, found] = await Promise.all([
      listConnections(deps, { limit: maxPageSize }),
      listProviders(deps, { limit: maxPageSize }),
      deps.counts(),
      given instanceof AppError ? given : find(deps, filterOf(given)).catch(refusal),
    ])
    const viewer = principalOf(response)
    const gone = await justDone(deps, request, response, ({ verb }) => verb === 'import.delete')
    const matching =
      found instanceof AppError || !allows(viewer.scope, 'write') ? null : await countMatching(deps, query, found)
    const named = query.get('connection')
    const names = connections.data.map(({ name }) => name)
    const isKnown = named === null || names.includes(named) || (await isConnection(deps, named))
    const unknown = isKnown ? null : { name: named, names }
    const form = filterForm({
      path,
      query,
      connections: connections.next === null ? names : null,
      providers: providers.data.map(({ name }) => name),
      now: clock.now(),
    })
    const body = html`${notice(gone)}<div class="heading"><h1>Imports</h1>${allows(viewer.scope, 'write') ? html`<a class="button" href="${path}/new">Register an import</a>` : null}</div>
${stateCounts(path, counts)}
${form}
${found instanceof AppError ? html`<section class="card">${filterComplaint(path, found)}</section>` : results(path, query, found, { basePath, now: clock.now(), viewer, matching, unknown })}`
    response.type('html').send(page({ title: 'Imports', body, basePath, viewer, section: '/imports', refreshSeconds }))
  })
}

async function find(deps: Deps, filter: ReturnType<typeof filterOf>) {
  await requireProvider(deps.db, filter.provider, 'provider')
  return listImports(deps, filter)
}

function refusal(error: unknown): AppError {
  if (error instanceof AppError) return error
  throw error
}

interface Shown {
  basePath: string
  now: Date
  viewer: Principal
  matching: string | null
  /** The connection that was asked for, if there is none of that name, and those that there are. */
  unknown: { name: string; names: readonly string[] } | null
}

function results(
  path: string,
  query: URLSearchParams,
  found: Awaited<ReturnType<typeof listImports>>,
  { basePath, now, viewer, matching, unknown }: Shown,
): Html {
  const isFiltered = isNarrowed(query)
  if (found.data.length === 0 && query.has('after'))
    return html`<section class="card"><p>There are no more.</p><p><a class="button" href="${linkWith(path, query, { after: null })}">First page</a></p></section>`
  if (found.data.length === 0 && isFiltered)
    return html`<section class="card"><p>No import matches.</p>${unknown === null ? null : noConnection(unknown, { path, query, basePath })}<p><a class="button" href="${path}">Clear the filter</a></p></section>`
  if (found.data.length === 0) return html`<section class="card">${noImports(viewer, basePath)}</section>`
  const isSelectable = allows(viewer.scope, 'write')
  const table = importTable(found.data, { basePath, now, caption: 'Imports that match', isSelectable })
  return html`<section class="card">${isSelectable ? selection({ basePath, table, query, matching }) : table}
${paging(found.next, { path, query })}</section>`
}

/** Imports outlive their connection, so its name may have been right once. */
function noConnection(
  { name, names }: { name: string; names: readonly string[] },
  { path, query, basePath }: { path: string; query: URLSearchParams; basePath: string },
): Html {
  const links = names
    .slice(0, namedConnections)
    .map((one) => html`<a href="${linkWith(path, query, { connection: one, after: null })}">${one}</a>`)
  const others = html` or another of <a href="${basePath}/connections">the connections</a>`
  return html`<p>There is no connection ${name}, or not any more. ${
    links.length === 0
      ? 'There is none at all.'
      : html`It must be one of ${joined(links, ', ')}${names.length > links.length ? others : null}.`
  }</p>`
}
