// Owns the table of deliveries with the form of its filter, which has the API's parameters.

import { eventTypes } from '../../model/event-types.ts'
import type { ApiDelivery } from '../../webhooks/deliveries/present.ts'
import { deliveryStates } from '../../webhooks/deliveries/present.ts'
import { statusClasses } from '../../webhooks/deliveries/read.ts'
import { due, number, when } from './format.ts'
import { Html, html } from './html.ts'
import { deliveryBadge } from './import-events.ts'
import { momentInput } from './moment-input.ts'
import { paging } from './paging.ts'

export function deliveryFilter(path: string, query: URLSearchParams): Html {
  const select = (name: string, options: readonly string[]) =>
    html`<select name="${name}"><option value="">any</option>${options.map(
      (option) => html`<option ${option === query.get(name) ? new Html('selected') : null}>${option}</option>`,
    )}</select>`
  const time = (name: string) => momentInput({ name, value: query.get(name) ?? '' })
  return html`<form method="get" action="${path}#deliveries" class="filter"><div class="fields">
<label>State ${select('state', deliveryStates)}</label>
<label>Type ${select('type', eventTypes)}</label>
<label>Status of the last attempt ${select('status', statusClasses)}</label>
<label>Created from, UTC ${time('createdAfter')}</label>
<label>until, UTC ${time('createdBefore')}</label>
</div><div class="actions"><button>Filter</button>${query.size > 0 ? html`<a class="button" href="${path}#deliveries">Clear</a>` : null}</div></form>`
}

export function deliveryTable(
  { data, next }: { data: readonly ApiDelivery[]; next: string | null },
  { path, query, basePath, now }: { path: string; query: URLSearchParams; basePath: string; now: Date },
): Html {
  if (data.length === 0) return html`<p>${query.size > 0 ? 'No delivery matches.' : 'Nothing has been sent yet.'}</p>`
  return html`<table class="stack"><caption class="visually-hidden">Deliveries</caption>
<thead><tr><th scope="col">Event</th><th scope="col">State</th><th scope="col" class="right">Attempts</th><th scope="col" class="right">Created</th><th scope="col" class="right">Next attempt</th></tr></thead>
<tbody>${data.map(
    (one) => html`<tr>
<td data-label="Event"><a href="${basePath}/deliveries/${one.id}">${one.type}</a></td>
<td data-label="State">${deliveryBadge(one.state)}</td>
<td data-label="Attempts" class="right number">${number(one.attempts)}</td>
<td data-label="Created" class="right">${when(one.createdAt, now)}</td>
<td data-label="Next attempt" class="right">${due(one.nextAttemptAt, now)}</td>
</tr>`,
  )}</tbody></table>
${paging(next, { path, query, part: '#deliveries' })}`
}
