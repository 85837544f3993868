// Owns the table of imports.
import type { ApiImport } from '../../imports/present.ts'
import { isOver } from '../../model/import-state.ts'
import type { Principal } from '../../tokens/authenticate.ts'
import { allows } from '../../tokens/scope.ts'
import { connectionPath } from './connection-path.ts'
import { number, progressBar, stateBadge, when, words } from './format.ts'
import { type Html, html } from './html.ts'

interface TableOptions {
  basePath: string
  now: Date
  caption: string
  /** Each row has a box that selects it, in a form around the table. */
  isSelectable?: boolean
  /** All imports are of one connection, which the page names. */
  isOfOneConnection?: boolean
}

export function importTable(
  imports: readonly ApiImport[],
  { basePath, now, caption, isSelectable = false, isOfOneConnection = false }: TableOptions,
): Html {
  return html`<table class="stack">
<caption class="visually-hidden">${caption}</caption>
<thead><tr>${isSelectable ? html`<th scope="col" class="select"><span class="visually-hidden">Select</span></th>` : null}<th scope="col">Job</th>${isOfOneConnection ? null : html`<th scope="col">Connection</th>`}<th scope="col">State</th><th scope="col">Progress</th><th scope="col" class="right">Rows</th><th scope="col" class="right">Failed</th><th scope="col" class="right">Skipped</th><th scope="col" class="right">Registered</th><th scope="col" class="right">Ended</th></tr></thead>
<tbody>${imports.map((one) => row(one, { basePath, now, isSelectable, isOfOneConnection }))}</tbody>
</table>`
}

/** What stands where there is no import at all. */
export function noImports(viewer: Principal, basePath: string): Html {
  return allows(viewer.scope, 'write')
    ? html`<p>None yet: <a href="${basePath}/imports/new">register one</a>.</p>`
    : html`<p>None yet. Who registers one needs a token of the scope write.</p>`
}

/** Says that the cell is empty, so that it takes no line on a narrow screen. */
function none(value: unknown): Html | null {
  return value === null ? html` data-none` : null
}

function row(one: ApiImport, { basePath, now, isSelectable, isOfOneConnection }: Omit<TableOptions, 'caption'>): Html {
  const ended = isOver(one.state) ? one.finishedAt : null
  const box = html`<td class="select" data-label="Select"><input type="checkbox" name="ids" value="${one.id}" aria-label="Select ${one.jobId}"></td>`
  return html`<tr>
${isSelectable ? box : null}<td data-label="Job"><a href="${basePath}/imports/${one.id}"><code>${one.jobId}</code></a></td>
${isOfOneConnection ? null : html`<td data-label="Connection"><span><a href="${connectionPath(basePath, one.connection)}">${one.connection}</a> <small>${one.provider}</small></span></td>`}
<td data-label="State"><span>${stateBadge(one.state)}${note(one)}</span></td>
<td data-label="Progress"${none(one.progress)}><span>${progressBar(one.progress)}</span></td>
<td data-label="Rows" class="right number"${none(one.rows.processed ?? one.rows.total)}><span>${rows(one)}</span></td>
<td data-label="Failed" class="right number"${none(one.rows.failed)}>${number(one.rows.failed)}</td>
<td data-label="Skipped" class="right number"${none(skippedOf(one))}>${number(skippedOf(one))}</td>
<td data-label="Registered" class="right">${when(one.registeredAt, now)}</td>
<td data-label="Ended" class="right"${none(ended)}>${when(ended, now)}</td>
</tr>`
}

/** The skipped lines that the provider counts, or those that it named. */
export function skippedOf({ rows, details }: ApiImport): number | null {
  return rows.skipped ?? (details.skippedLines > 0 ? details.skippedLines : null)
}

function rows({ rows: { processed, total } }: ApiImport): Html {
  return html`${number(processed)}${total === null ? null : html`<small> / ${number(total)}</small>`}`
}

function note({ lostReason, attention, lastError }: ApiImport): Html | null {
  const code = lostReason ?? attention ?? lastError?.code ?? null
  return code === null ? null : html` <small class="note">${words(code)}</small>`
}
