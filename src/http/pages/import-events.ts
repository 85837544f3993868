// Owns what the page of an import shows of its events: who was told of each, and by which attempts.
import type { Database } from '../../db/client.ts'
import { listImportEvents } from '../../events/feed.ts'
import type { ApiAttempt, ApiDelivery } from '../../webhooks/deliveries/present.ts'
import { attemptsOf, listDeliveries } from '../../webhooks/deliveries/read.ts'
import { readEndpointUrls } from '../../webhooks/endpoints/read.ts'
import { shownUrl } from '../../webhooks/endpoints/shown-url.ts'
import { badge, counted, due, duration, when, words } from './format.ts'
import { type Html, html } from './html.ts'
import { type About, section } from './import-about.ts'

const shownEvents = 100
const shownDeliveries = 100

export async function readImportEvents(deps: { db: Database }, importId: string) {
  const [events, deliveries] = await Promise.all([
    listImportEvents(deps, importId, { limit: shownEvents }),
    listDeliveries(deps, { importId, limit: shownDeliveries }),
  ])
  const [attempts, urls] = await Promise.all([
    attemptsOf(
      deps,
      deliveries.data.map(({ id }) => id),
    ),
    readEndpointUrls(
      deps,
      deliveries.data.map(({ endpointId }) => endpointId),
    ),
  ])
  return {
    events: events.data,
    hasMore: events.next !== null || deliveries.next !== null,
    deliveries: Map.groupBy(deliveries.data, ({ eventId }) => eventId),
    attempts,
    urls,
  }
}

export type ImportEvents = Awaited<ReturnType<typeof readImportEvents>>

export function importEvents(about: About, found: ImportEvents): Html {
  const { now } = about
  if (found.events.length === 0) return section('events', 'Events', html`<p>None yet.</p>`)
  const entries = found.events.toReversed().map((event) => {
    const deliveries = found.deliveries.get(event.id) ?? []
    return html`<li>
<p><b>${event.type}</b> <small>${when(event.timestamp, now)}${event.sequence === null ? null : html` · no. ${event.sequence}`}</small></p>
${deliveries.length === 0 ? html`<p><small>No endpoint subscribes to it.</small></p>` : html`<ul>${deliveries.map((one) => delivery(about, one, found))}</ul>`}
</li>`
  })
  return section(
    'events',
    'Events, and who was told',
    html`<ol class="timeline">${entries}</ol>${found.hasMore ? html`<p><small>There are more than are shown here.</small></p>` : null}`,
  )
}

function delivery({ basePath, now }: About, one: ApiDelivery, { attempts, urls }: ImportEvents): Html {
  const url = urls.get(one.endpointId)
  const its = attempts.get(one.id) ?? []
  return html`<li><p>${deliveryBadge(one.state)} <a href="${basePath}/deliveries/${one.id}">${url === undefined ? 'a deleted endpoint' : shownUrl(url)}</a>
<small>${counted(one.attempts, 'attempt')}${one.nextAttemptAt === null ? null : html` · next ${due(one.nextAttemptAt, now)}`}</small></p>
${its.length === 0 ? null : html`<ul class="attempts">${its.map((attempt) => html`<li>${attemptLine(attempt, now)}</li>`)}</ul>`}</li>`
}

export function attemptLine(
  { number, outcome, status, errorCode, durationMs, startedAt }: ApiAttempt,
  now: Date,
): Html {
  const result = outcome === 'delivered' ? badge('good', '✓', 'delivered') : badge('bad', '✕', words(outcome))
  return html`<small>${number}.</small> ${outcome === 'in_flight' ? badge('plain', '▶', 'under way') : result}${
    status === null ? null : html` <span class="number">${status}</span>`
  }${errorCode === null ? null : html` <code>${errorCode}</code>`} <small>${when(startedAt, now)}${durationMs === null ? null : html`, ${duration(durationMs)}`}</small>`
}

export function deliveryBadge(state: ApiDelivery['state']): Html {
  if (state === 'delivered') return badge('good', '✓', state)
  if (state === 'exhausted') return badge('bad', '✕', state)
  return state === 'pending' ? badge('plain', '○', state) : badge('warn', '■', state)
}
