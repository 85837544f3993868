// Owns how pages tell of actions: who did what, and when.
import type { ApiAction } from '../../actions/present.ts'
import { type ActionFilter, listActions } from '../../actions/read.ts'
import type { ActionVerb } from '../../actions/verbs.ts'
import type { Database } from '../../db/client.ts'
import { joined, number, stamp, when } from './format.ts'
import { type Html, html } from './html.ts'

const shown = 20

interface Place {
  basePath: string
  now: Date
}

/** A card with the last changes of a connection or an endpoint. */
export async function changes(deps: { db: Database }, filter: ActionFilter, place: Place): Promise<Html> {
  const { data, next } = await listActions(deps, { ...filter, limit: shown })
  const list =
    data.length === 0
      ? html`<p>Nobody has changed it yet, as far back as the log goes.</p>`
      : html`<ol class="timeline">${data.map((action) => html`<li>${actionEntry(action, place)}</li>`)}</ol>`
  return html`<section class="card" aria-labelledby="changes"><h2 id="changes">Changes</h2>${list}${
    next === null
      ? null
      : html`<p><small>The last ${shown}; all of them are in <code>GET /v1/actions</code>.</small></p>`
  }</section>`
}

/** Two lines: what was done by whom; when, and to how many. */
export function actionEntry(action: ApiAction, { basePath, now }: Place): Html {
  const { id, verb, by, at, subject, details } = action
  const count = subject.id === null ? details?.done : null
  const many =
    typeof count === 'number'
      ? html`<a href="${basePath}/actions/${id}">with all ${number(count)} of one action</a>`
      : null
  return html`<p class="action"><span aria-hidden="true">✎</span> <b>${sentence(action)}</b> by ${by.name}</p>
<p><small>${when(at, now)} · ${stamp(at)}${many === null ? null : html` · ${many}`}${detailsOf(verb, details)}</small></p>`
}

const sentences: Record<ActionVerb, string> = {
  'import.poll': 'Poll asked for',
  'import.stop': 'Stopped',
  'import.resume': 'Resumed',
  'import.change': 'Changed',
  'import.delete': 'Deleted',
  'connection.put': 'Replaced',
  'connection.change': 'Changed',
  'connection.resume': 'Resumed',
  'connection.test': 'Credentials tried',
  'connection.delete': 'Deleted',
  'endpoint.create': 'Created',
  'endpoint.change': 'Changed',
  'endpoint.rotate_secret': 'Secret rotated',
  'endpoint.test': 'Test sent',
  'endpoint.enable': 'Enabled',
  'endpoint.disable': 'Disabled',
  'endpoint.recover': 'Failed deliveries recovered',
  'endpoint.replay': 'Missed events replayed',
  'endpoint.delete': 'Deleted',
  'delivery.redeliver': 'Delivery asked for once more',
  'provider.put': 'Uploaded',
  'provider.delete': 'Deleted',
  'token.create': 'Created',
  'token.delete': 'Revoked',
}

export function sentence({ verb, details }: ApiAction): string {
  if (details?.created === true) return 'Created'
  if (details?.force === true) return 'Tracked again'
  return sentences[verb]
}

function detailsOf(verb: ActionVerb, details: ApiAction['details']): Html | null {
  const known: Record<string, unknown> = details ?? {}
  const { fields, count, overlapHours } = known
  const parts = [
    Array.isArray(fields) ? html`${fields.length === 0 ? 'nothing differs' : fields.map(String).join(', ')}` : null,
    verb.startsWith('endpoint.') && typeof count === 'number' ? html`${number(count)}` : null,
    verb === 'connection.test' && typeof known.code === 'string' ? html`${known.code}` : null,
    typeof overlapHours === 'number' ? html`the old one signs for ${overlapHours} h more` : null,
  ].filter((part) => part !== null)
  return parts.length === 0 ? null : html` · ${joined(parts)}`
}
