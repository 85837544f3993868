// Owns what the page of an import shows of its rows: counts by column and code, the first ones, and downloads.
import type { Database } from '../../db/client.ts'
import { countResultCodes, countSkippedColumns, firstFailedRows, type RowSummary } from '../../imports/row-summary.ts'
import { type ApiRowResult, listRowResults, listSkippedLines } from '../../imports/rows.ts'
import { number } from './format.ts'
import { type Html, html } from './html.ts'
import { type About, section } from './import-about.ts'

export const shownRows = 100

export async function readImportRows(
  deps: { db: Database },
  { id, details: { skippedLines, rowResults } }: About['one'],
) {
  const query = { limit: shownRows }
  const [columns, lines, codes, failed, results] = await Promise.all([
    skippedLines === 0 ? null : countSkippedColumns(deps, id),
    skippedLines === 0 ? null : listSkippedLines(deps, id, query),
    rowResults === 0 ? null : countResultCodes(deps, id),
    rowResults === 0 ? [] : firstFailedRows(deps, id, shownRows),
    rowResults === 0 ? null : listRowResults(deps, id, query),
  ])
  return { columns, lines: lines?.data ?? [], codes, failed, results: results?.data ?? [] }
}

export type ImportRows = Awaited<ReturnType<typeof readImportRows>>

export function importRows(about: About, rows: ImportRows): Html[] {
  const { skippedLines, rowResults } = about.one.details
  return [
    ...(rows.columns === null ? [] : [skipped(about, rows.columns, rows.lines, skippedLines)]),
    ...(rows.codes === null ? [] : [results(about, rows.codes, rows, rowResults)]),
  ]
}

function skipped(about: About, columns: RowSummary<number | null>, lines: ImportRows['lines'], count: number): Html {
  return section(
    'skipped-lines',
    html`Skipped lines <small class="number">${number(count)}</small>`,
    html`${downloads(about, 'skipped-lines')}
${groups(columns, { title: 'Column', caption: 'Skipped lines by column', write: (column) => (column === null ? 'no column' : String(column)) })}
${first(
  lines.length,
  count,
  html`<table class="short"><caption class="visually-hidden">The first skipped lines</caption>
<thead><tr><th scope="col" class="right">Line</th><th scope="col" class="right">Column</th></tr></thead>
<tbody>${lines.map(({ line, column }) => html`<tr><td class="right number">${plain(line)}</td><td class="right number">${plain(column)}</td></tr>`)}</tbody></table>`,
)}`,
  )
}

function results(about: About, codes: RowSummary<string | null>, rows: ImportRows, count: number): Html {
  const shown = rows.failed.length > 0 ? rows.failed : rows.results
  const failed = codes.groups.reduce((sum, group) => (group.key === null ? sum : sum + group.count), 0)
  return section(
    'row-results',
    html`Row results <small class="number">${number(count)}</small>`,
    html`${downloads(about, 'row-results')}
${groups(codes, { title: 'Error code', caption: 'Row results by error code', write: (code) => code ?? 'no error' })}
${first(shown.length, rows.failed.length > 0 ? failed : count, resultTable(shown), rows.failed.length > 0 ? 'failed ' : '')}`,
  )
}

function resultTable(shown: readonly ApiRowResult[]): Html {
  return html`<table class="stack"><caption class="visually-hidden">The first row results</caption>
<thead><tr><th scope="col" class="right">Row</th><th scope="col">Record</th><th scope="col">Did</th><th scope="col">Error</th></tr></thead>
<tbody>${shown.map(
    ({ row, line, recordId, created, existing, error }) => html`<tr>
<td data-label="Row" class="right number">${line === null ? row : `line ${line}`}</td>
<td data-label="Record">${recordId === null ? '–' : html`<code>${recordId}</code>`}</td>
<td data-label="Did">${created ? 'created' : existing ? 'existed' : '–'}</td>
<td data-label="Error" class="wrap">${error === null ? '–' : html`<span>${error.code === null ? null : html`<code>${error.code}</code> `}${error.message}</span>`}</td>
</tr>`,
  )}</tbody></table>`
}

function groups<Key>(
  summary: RowSummary<Key>,
  { title, caption, write }: { title: string; caption: string; write(key: Key): string },
): Html {
  return html`<table class="short"><caption class="visually-hidden">${caption}</caption>
<thead><tr><th scope="col">${title}</th><th scope="col" class="right">Rows</th></tr></thead>
<tbody>${summary.groups.map(({ key, count }) => html`<tr><td>${write(key)}</td><td class="right number">${number(count)}</td></tr>`)}</tbody></table>
${summary.isPart ? html`<p><small>Counted over the first ${number(200_000)} rows.</small></p>` : null}`
}

function first(shown: number, count: number, table: Html, kind = ''): Html {
  const title = shown < count ? `The first ${number(shown)} ${kind}of ${number(count)}` : `All ${number(shown)} ${kind}`
  return html`<details><summary>${title.trim()}</summary><div class="scroll" tabindex="0" role="group" aria-label="${title.trim()}">${table}</div></details>`
}

function downloads({ basePath, one }: About, name: 'skipped-lines' | 'row-results'): Html {
  const path = `${basePath}/imports/${one.id}/${name}`
  const note = one.details.state === 'complete' ? null : html` <small>so far: details are ${one.details.state}</small>`
  return html`<p>Download <a href="${path}.csv" download>CSV</a> · <a href="${path}.ndjson" download>NDJSON</a>${note}</p>`
}

function plain(value: number | null): string {
  return value === null ? '–' : String(value)
}
