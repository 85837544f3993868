// Owns the page of one action: who did what, how far it has come, and the imports that it touched.
import type { IRouter } from 'express'
import type { ApiAction } from '../../actions/present.ts'
import { getAction } from '../../actions/read.ts'
import { notFound } from '../../api/refusal.ts'
import type { Clock } from '../../base/clock.ts'
import { isId } from '../../base/ids.ts'
import type { Database } from '../../db/client.ts'
import { getImports } from '../../imports/read.ts'
import type { Principal } from '../../tokens/authenticate.ts'
import { allows } from '../../tokens/scope.ts'
import { noStore } from '../security-headers.ts'
import { sentence } from './changes.ts'
import { filterQuery, filterText } from './filter-text.ts'
import { at, badge, counted, number } from './format.ts'
import { type PageGuardDeps, principalOf, requireSignIn } from './guard.ts'
import { Html, html } from './html.ts'
import { importTable } from './import-table.ts'
import { page } from './layout.ts'
import { keyField } from './posted.ts'
import { linkWith } from './query.ts'

const shownImports = 50
const refreshSeconds = 2

export function mountAction(app: IRouter, deps: PageGuardDeps & { db: Database; clock: Clock }): void {
  const { basePath, clock } = deps

  app.get('/actions/:id', noStore, requireSignIn(deps, 'read'), async (request, response) => {
    const id = String(request.params.id)
    if (!isId(id)) throw notFound('action')
    const { action, isUnderWay, importIds, touched } = await getAction(deps, id, shownImports)
    const imports = await getImports(deps, importIds)
    const areDeleted = imports.length === 0 && importIds.length === touched
    const now = clock.now()
    const viewer = principalOf(response)
    const title = titleOf(action)
    const body = html`<h1>${title}</h1>
<section class="card" aria-label="What came of it">${progress(action, { isUnderWay, viewer, basePath })}
<dl class="facts">
<dt>By</dt><dd>${action.by.name} <small>${action.by.scope}</small></dd>
<dt>When</dt><dd>${at(action.at, now)}</dd>
${of(action, basePath)}${rest(action)}</dl></section>
${
  touched === 0
    ? null
    : html`<section class="card" aria-labelledby="imports"><h2 id="imports">Imports</h2>${
        areDeleted
          ? html`<p>${touched === 1 ? 'The import was deleted' : 'The imports were deleted'}.</p>`
          : importTable(imports, { basePath, now, caption: 'Imports that it touched' })
      }${
        touched > imports.length && !areDeleted
          ? html`<p><small>${number(imports.length)} of ${counted(touched, 'import')}</small></p>`
          : null
      }</section>`
}`
    // Who began it lets it go on from here by a script; others may do so by hand.
    const live = isUnderWay && !isMine(action, viewer) ? { refreshSeconds } : {}
    response.type('html').send(page({ title, body, basePath, viewer, section: '/imports', ...live }))
  })
}

const titles: Record<string, string> = { poll: 'Poll imports', stop: 'Stop imports', resume: 'Resume imports' }

function titleOf(action: ApiAction): string {
  const { kind, name } = action.subject
  const many = name === null ? titles[action.verb.slice('import.'.length)] : undefined
  return many ?? `${sentence(action)}: ${kind} ${name ?? ''}`
}

interface Shown {
  isUnderWay: boolean
  viewer: Principal
  basePath: string
}

function progress(action: ApiAction, { isUnderWay, viewer, basePath }: Shown): Html | null {
  const { id, details, verb } = action
  const { count, done, skipped }: Record<string, unknown> = details ?? {}
  if (typeof count !== 'number' || typeof done !== 'number' || typeof skipped !== 'number') return null
  const lead = isUnderWay ? badge('warn', '◔', 'under way') : badge('good', '✓', 'done')
  return html`<p class="lead" role="status">${lead} <span><b>${number(done)}</b> done, ${number(skipped)} skipped${isUnderWay ? html` of ${number(count)}` : null}</span></p>
${skipped === 0 ? null : html`<p><small>${whySkipped[verb] ?? null}</small></p>`}
${isUnderWay ? html`<p><progress value="${done + skipped}" max="${Math.max(count, 1)}">${number(done + skipped)} of ${number(count)}</progress></p>` : null}
${
  isUnderWay && allows(viewer.scope, 'write')
    ? html`<form method="post" action="${basePath}/actions/${id}/go-on"${isMine(action, viewer) ? new Html(' data-go-on') : null}>${keyField()}<button class="primary">Go on</button></form>${isMine(action, viewer) ? html`<script defer src="${basePath}/assets/select.js"></script>` : null}`
    : null
}`
}

/** Another person may have done it to an import after the question counted it. */
const whySkipped: Record<string, string> = {
  'import.poll': 'The skipped ones were over by then.',
  'import.stop': 'The skipped ones were over by then.',
  'import.resume': 'The skipped ones were neither lost nor stopped, or refused to be resumed.',
}

function isMine({ by }: ApiAction, viewer: Principal): boolean {
  return viewer.tokenId === by.tokenId && viewer.name === by.name
}

/** Which imports it was done to, with a link to what matches the same filter now. */
function of({ details }: ApiAction, basePath: string): Html | null {
  const { filter }: Record<string, unknown> = details ?? {}
  if (typeof filter !== 'object' || filter === null) return null
  const query = filterQuery({ ...filter })
  const list = query === null ? null : html` · <a href="${linkWith(`${basePath}/imports`, query)}">what matches now</a>`
  return html`<dt>Of</dt><dd>${filterText({ ...filter })}${list}</dd>`
}

/** What else is known, as texts. */
function rest({ details, subject }: ApiAction): Html {
  const known: Record<string, unknown> = details ?? {}
  const { count: _count, done: _done, skipped: _skipped, more: _more, filter: _filter, continuedBy, ...others } = known
  const facts = Object.entries({
    ...(continuedBy !== undefined && { 'Continued by': continuedBy }),
    ...(subject.id !== null && { Id: subject.id }),
    ...others,
  })
  return html`${facts.map(([name, value]) => html`<dt>${name}</dt><dd>${textOf(value)}</dd>`)}`
}

function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.map(textOf).join(', ')
  return typeof value === 'string' ? value : JSON.stringify(value)
}
