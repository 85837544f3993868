// Owns the table of connections with how each has been doing for thirty days.
import type { ApiConnection } from '../../connections/present.ts'
import { lastDays, type OutcomeDay, outcomes } from '../../reporting/outcome-days.ts'
import { sparkline } from './charts/sparkline.ts'
import { connectionPath } from './connection-path.ts'
import { connectionStatus } from './connection-table.ts'
import { duration, number } from './format.ts'
import { type Html, html } from './html.ts'
import { rate, shownDays, sumOf } from './outcomes.ts'

interface Shown {
  basePath: string
  now: Date
}

export function connectionTrends(
  connections: readonly ApiConnection[],
  days: readonly OutcomeDay[],
  { basePath, now }: Shown,
): Html {
  const byConnection = Map.groupBy(days, ({ connection }) => connection)
  return html`<table class="stack">
<caption class="visually-hidden">Connections, and how their imports went in ${shownDays} days</caption>
<thead><tr><th scope="col">Name</th><th scope="col">Status</th><th scope="col" class="right">Ended</th><th scope="col" class="right">Success</th><th scope="col">Median duration by day</th><th scope="col" class="right">Usually</th></tr></thead>
<tbody>${connections.map((one) => {
    const theirs = byConnection.get(one.name) ?? []
    const sums = sumOf(theirs)
    const ended = outcomes.reduce((sum, outcome) => sum + sums[outcome], 0)
    return html`<tr>
<td data-label="Name"><span><a href="${connectionPath(basePath, one.name)}">${one.name}</a> <small>${one.provider}</small></span></td>
<td data-label="Status"><span>${connectionStatus(one, now)}</span></td>
<td data-label="Ended" class="right number">${number(ended)}</td>
<td data-label="Success" class="right number">${rate(sums)}</td>
<td data-label="Median duration">${trend(theirs, now)}</td>
<td data-label="Usually" class="right number">${one.usualDurationMs === null ? '–' : duration(one.usualDurationMs)}</td>
</tr>`
  })}</tbody>
</table>`
}

function trend(days: readonly OutcomeDay[], now: Date): Html {
  const medians = new Map(days.map(({ day, p50S }) => [day, p50S]))
  const values = lastDays(now, shownDays).map((day) => medians.get(day) ?? null)
  const known = values.filter((value) => value !== null)
  const last = known.at(-1)
  if (last === undefined) return html`–`
  const [from, to] = [Math.min(...known), Math.max(...known)].map((seconds) => duration(seconds * 1_000))
  const title =
    from === to
      ? `The median of each day was ${to}.`
      : `The medians of the days are from ${from} to ${to}; that of the last day with any is ${duration(last * 1_000)}.`
  return sparkline({ title, values })
}
