// Owns the card of thirty days of outcomes: bars that lead to their imports, how many succeeded, how long they took, and
// the same as a table.
import { after, type Clock } from '../../base/clock.ts'
import type { Database } from '../../db/client.ts'
import { mixedPercentile } from '../../reporting/mixed-percentile.ts'
import { lastDays, type Outcome, type OutcomeDay, outcomes, readOutcomeDays } from '../../reporting/outcome-days.ts'
import { type Bar, stackedBars, swatch } from './charts/bars.ts'
import { duration, number } from './format.ts'
import { type Html, html } from './html.ts'
import { linkWith } from './query.ts'

export const shownDays = 30
const recentDays = 7

/** The first of the days that are shown, as `2026-11-22`. */
export function firstDay(now: Date): string {
  return lastDays(now, shownDays)[0] ?? ''
}

/** What the overview shows of all connections. */
export interface Outcomes {
  days: OutcomeDay[]
  card: Html
}

/** The card is made once with its days, because many open pages show the same. */
export async function readOutcomes({ db, clock }: { db: Database; clock: Clock }, basePath: string): Promise<Outcomes> {
  const now = clock.now()
  const days = await readOutcomeDays({ db }, { since: firstDay(now) })
  return { days, card: outcomesCard(days, { basePath, now }) }
}

interface Shown {
  basePath: string
  now: Date
  /** The connection that the days are of. Absent: of all. */
  connection?: string
}

/** @param days from `firstDay` on. */
export function outcomesCard(days: readonly OutcomeDay[], shown: Shown): Html {
  const bars = barsOf(days, shown.now)
  const total = sumOf(days)
  const ended = outcomes.reduce((sum, outcome) => sum + total[outcome], 0)
  const heading = html`<h2 id="outcomes">The last ${shownDays} days <small>by when they ended, in UTC</small></h2>`
  if (ended === 0)
    return html`<section class="card" aria-labelledby="outcomes">${heading}<p>Nothing ended in these days. <small>What ends is counted within a minute.</small></p></section>`
  const [first = '', last = ''] = [bars[0]?.label, bars.at(-1)?.label]
  const isEstimate = new Set(days.map(({ day, connection }) => `${day} ${connection}`)).size > 1
  return html`<section class="card outcomes" aria-labelledby="outcomes">${heading}
<dl class="figures">
<div><dt class="what">Ended</dt><dd class="figure">${number(ended)}</dd></div>
<div><dt class="what">Success rate</dt><dd class="figure" title="Succeeded, of those that succeeded, succeeded in part or failed">${rate(total)}</dd></div>
<div><dt class="what">Half took up to <small>p50</small></dt><dd class="figure">${took(days, 'p50', isEstimate)}</dd></div>
<div><dt class="what">Nine in ten up to <small>p90</small></dt><dd class="figure">${took(days, 'p90', isEstimate)}</dd></div>
${shown.connection === undefined ? null : lately(days, shown.now)}</dl>
${stackedBars({ title: 'Imports by the day they ended on. The table below has the same numbers.', bars, kinds: outcomes, href: ({ label }, outcome) => listOf(shown, outcome, label, label) })}
<ul class="legend">${outcomes
    .filter((outcome) => total[outcome] > 0)
    .map(
      (outcome) =>
        html`<li><a href="${listOf(shown, outcome, first, last)}">${swatch(outcome)} ${outcome} <b>${number(total[outcome])}</b></a></li>`,
    )}</ul>
<details><summary>As a table</summary>${table(days, bars, shown)}</details>
${isEstimate ? html`<p><small>≈: put together from the percentiles of each day and connection, as <code>reporting.daily_outcomes</code> has them. It follows within a minute.</small></p>` : null}</section>`
}

/** Whether it is slower than it was: the median of the last week beside that of the days before it. */
function lately(days: readonly OutcomeDay[], now: Date): Html {
  const week = new Set(lastDays(now, recentDays))
  const [last, before] = [days.filter(({ day }) => week.has(day)), days.filter(({ day }) => !week.has(day))]
  return html`<div><dt class="what">p50 of the last ${recentDays} days</dt><dd class="figure">${took(last, 'p50', last.length > 1)}${compared(last, before)}</dd></div>
<div><dt class="what">p50 of the ${shownDays - recentDays} days before</dt><dd class="figure">${took(before, 'p50', before.length > 1)}</dd></div>
`
}

/** `1.3 times as long as before`. Null: nothing ended in one of both spans. */
function compared(last: readonly OutcomeDay[], before: readonly OutcomeDay[]): Html | null {
  const [now, then] = [percentile(last, 'p50'), percentile(before, 'p50')]
  if (now === null || then === null || then === 0) return null
  const times = (now / then).toFixed(1)
  return html` <small>${times === '1.0' ? '' : `${times} times `}as long as before</small>`
}

function table(days: readonly OutcomeDay[], bars: readonly Bar[], shown: Shown): Html {
  const byDay = Map.groupBy(days, ({ day }) => day)
  const count = (outcome: Outcome, day: string, value: number) =>
    html`<td class="right number">${value === 0 ? '–' : html`<a href="${listOf(shown, outcome, day, day)}">${number(value)}</a>`}</td>`
  return html`<div class="scroll wide"><table>
<caption class="visually-hidden">Imports by the day they ended on (UTC)</caption>
<thead><tr><th scope="col">Day</th>${outcomes.map((outcome) => html`<th scope="col" class="right">${outcome}</th>`)}<th scope="col" class="right">Success</th><th scope="col" class="right">p50</th><th scope="col" class="right">p90</th></tr></thead>
<tbody>${bars.toReversed().map(({ label, counts }) => {
    const theirs = byDay.get(label) ?? []
    return html`<tr><th scope="row"><time datetime="${label}">${label}</time></th>${outcomes.map((outcome) => count(outcome, label, counts[outcome] ?? 0))}<td class="right number">${rate(sumOf(theirs))}</td><td class="right number">${took(theirs, 'p50', theirs.length > 1)}</td><td class="right number">${took(theirs, 'p90', theirs.length > 1)}</td></tr>`
  })}</tbody></table></div>`
}

function barsOf(days: readonly OutcomeDay[], now: Date): Bar[] {
  const byDay = Map.groupBy(days, ({ day }) => day)
  return lastDays(now, shownDays).map((label) => ({
    label,
    shortLabel: shortDay(label),
    counts: sumOf(byDay.get(label) ?? []),
  }))
}

export function sumOf(days: readonly OutcomeDay[]): Record<Outcome, number> {
  const sums = outcomes.map((outcome) => [outcome, days.reduce((sum, day) => sum + day[outcome], 0)] as const)
  return Object.fromEntries(sums) as Record<Outcome, number>
}

/** `93.4 %`. Never 100 % where one failed, nor 0 % where one succeeded. */
export function rate({ succeeded, partial, failed }: Record<Outcome, number>): string {
  const of = succeeded + partial + failed
  if (of === 0) return '–'
  const percent = (succeeded / of) * 100
  if (succeeded === 0 || succeeded === of) return `${percent} %`
  return `${Math.min(Math.max(percent, 0.1), 99.9).toFixed(1)} %`
}

function took(days: readonly OutcomeDay[], which: 'p50' | 'p90', isEstimate: boolean): string {
  const seconds = percentile(days, which)
  return seconds === null ? '–' : `${isEstimate ? '≈ ' : ''}${duration(seconds * 1_000)}`
}

/** Returns the percentile in seconds. Null: nothing ended. */
function percentile(days: readonly OutcomeDay[], which: 'p50' | 'p90'): number | null {
  const parts = days.flatMap(({ p50S, p90S, p99S, succeeded, partial, failed, canceled }) =>
    p50S === null || p90S === null || p99S === null
      ? []
      : [{ count: succeeded + partial + failed + canceled, p50: p50S, p90: p90S, p99: p99S }],
  )
  return mixedPercentile(parts, which)
}

/** The list of the imports that a bar counts. */
function listOf({ basePath, connection }: Shown, state: Outcome, first: string, last: string): string {
  const query = {
    ...(connection !== undefined && { connection }),
    finishedAfter: `${first}T00:00:00.000Z`,
    finishedBefore: after(new Date(`${last}T00:00:00.000Z`), 86_400_000).toISOString(),
    state,
  }
  return linkWith(`${basePath}/imports`, query)
}

/** `22 Nov` */
function shortDay(day: string): string {
  return new Date(`${day}T00:00:00Z`).toLocaleDateString('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' })
}
