// Owns the timeline of an import: an entry for each report and for each action of a person, the newest first.
import type { ApiAction } from '../../actions/present.ts'
import { wholePercent } from '../../base/percent.ts'
import type { NumberedSnapshot } from '../../imports/history.ts'
import { actionEntry } from './changes.ts'
import { counted, duration, joined, number, stamp, stateBadge, when } from './format.ts'
import { type Html, html, lines } from './html.ts'
import { type About, section } from './import-about.ts'

export const shownReports = 50
/** How much of a body a page shows, in characters. */
const shownBody = 20_000

export interface Timeline {
  /** One more than is shown, so that the last one has a report before it to differ from. */
  reports: readonly NumberedSnapshot[]
  /** What was done to the import in the same time. */
  actions: readonly ApiAction[]
  isContinued: boolean
}

/** Returns since when a page of the timeline tells of actions. Null: since ever. */
export function timelineFrom(reports: readonly NumberedSnapshot[]): Date | null {
  const oldest = reports.length > shownReports ? reports[shownReports - 1] : undefined
  return oldest === undefined ? null : new Date(oldest.firstSeenAt)
}

export function importTimeline(about: About, { reports, actions, isContinued }: Timeline): Html {
  const { basePath, one } = about
  if (reports.length === 0 && actions.length === 0 && !isContinued)
    return section('timeline', 'Timeline', html`<p>No report yet: the provider hasn’t answered a poll.</p>`)
  const shown = reports.slice(0, shownReports)
  const older = reports.length > shownReports ? shown.at(-1) : undefined
  const path = `${basePath}/imports/${one.id}`
  return section(
    'timeline',
    'Timeline',
    html`<ol class="timeline">${inOrder([
      ...shown.map((report, index) => ({ at: report.firstSeenAt, part: entry(about, report, reports[index + 1]) })),
      ...actions.map((action) => ({ at: action.at, part: html`<li>${actionEntry(action, about)}</li>` })),
    ])}</ol>
<nav class="paging" aria-label="Reports">${isContinued ? html`<a class="button" href="${path}#timeline">Newest reports</a>` : null}${
      older === undefined
        ? null
        : html`<a class="button" rel="next" href="${path}?before=${older.id}#timeline">Older reports</a>`
    }</nav>`,
  )
}

/** The newest first. */
function inOrder(entries: readonly { at: string; part: Html }[]): Html[] {
  return entries.toSorted((one, other) => Date.parse(other.at) - Date.parse(one.at)).map(({ part }) => part)
}

function entry({ now }: About, report: NumberedSnapshot, before: NumberedSnapshot | undefined): Html {
  const lasted = Date.parse(report.lastSeenAt) - Date.parse(report.firstSeenAt)
  const changes = before === undefined ? null : changesOf(before, report)
  const text = JSON.stringify(report.body, null, 2) ?? 'null'
  return html`<li>
<p>${stateBadge(report.state)} ${joined([
    report.providerStatus === null ? null : html`<code>${report.providerStatus}</code>`,
    report.progress === null ? null : html`${wholePercent(report.progress)} %`,
    report.message === null ? null : html`${report.message}`,
  ])}</p>
<p><small>${when(report.firstSeenAt, now)} · ${stamp(report.firstSeenAt)}${lasted > 0 ? html` to ${stamp(report.lastSeenAt)}, for ${duration(lasted)}` : null} · ${counted(report.polls, 'poll')}</small></p>
${changes === null ? html`<p><small>The first report</small></p>` : html`<p class="changes">${changes.length === 0 ? html`<small>Only the answer’s other fields changed</small>` : joined(changes)}</p>`}
<details><summary>Answer</summary><pre>${lines(shownOf(text))}</pre></details>
</li>`
}

function shownOf(text: string): string {
  return text.length <= shownBody
    ? text
    : `${text.slice(0, shownBody)}\n… ${number(text.length - shownBody)} more characters`
}

function changesOf(before: NumberedSnapshot, after: NumberedSnapshot): Html[] {
  const fields: [string, unknown, unknown][] = [
    ['state', before.state, after.state],
    ['status', before.providerStatus, after.providerStatus],
    ['progress', percent(before.progress), percent(after.progress)],
    ...Object.keys(after.rows).map((name): [string, unknown, unknown] => [
      `rows ${name}`,
      before.rows[name as keyof typeof before.rows] ?? null,
      after.rows[name as keyof typeof after.rows] ?? null,
    ]),
    ['message', before.message, after.message],
  ]
  return fields
    .filter(([, from, to]) => from !== to)
    .map(([name, from, to]) => html`<span>${name} ${write(from)} → <b>${write(to)}</b></span>`)
}

function percent(progress: number | null): string | null {
  return progress === null ? null : `${wholePercent(progress)} %`
}

function write(value: unknown): string {
  if (value === null || value === undefined) return '–'
  return typeof value === 'number' ? number(value) : String(value)
}
