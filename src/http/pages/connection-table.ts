// Owns the table of connections.
import type { ApiConnection } from '../../connections/present.ts'
import { connectionPath } from './connection-path.ts'
import { badge, when } from './format.ts'
import { type Html, html } from './html.ts'

interface Shown {
  basePath: string
  now: Date
  /** Whether the reader may make one. Absent: no. */
  isAdmin?: boolean
}

export function connectionTable(
  connections: readonly ApiConnection[],
  { basePath, now, isAdmin = false }: Shown,
): Html {
  if (connections.length === 0)
    return html`<p>None yet${isAdmin ? html`: <a href="${basePath}/connections/new">make one</a>` : null}.</p>`
  return html`<table class="stack">
<caption class="visually-hidden">Connections</caption>
<thead><tr><th scope="col">Name</th><th scope="col">Provider</th><th scope="col">Base URL</th><th scope="col">Status</th></tr></thead>
<tbody>${connections.map(
    (one) => html`<tr>
<td data-label="Name"><a href="${connectionPath(basePath, one.name)}">${one.name}</a></td>
<td data-label="Provider">${one.provider}</td>
<td data-label="Base URL" class="wrap">${one.baseUrl ?? html`<small>the provider’s own</small>`}</td>
<td data-label="Status"><span>${connectionStatus(one, now)}</span></td>
</tr>`,
  )}</tbody>
</table>`
}

export function connectionStatus({ pausedAt, pauseReason, blockedUntil }: ApiConnection, now: Date): Html {
  if (pausedAt !== null) {
    const what = pauseReason === 'forbidden' ? 'imports refused' : 'credentials refused'
    return html`${badge('bad', '■', 'paused')} <small>${what}, ${when(pausedAt, now)}</small>`
  }
  if (blockedUntil !== null && Date.parse(blockedUntil) > now.getTime())
    return html`${badge('warn', '◔', 'waiting')} <small>the provider asked for it, ${when(blockedUntil, now)}</small>`
  return badge('good', '✓', 'active')
}

/** What the provider does. */
export function whyPaused(reason: ApiConnection['pauseReason']): string {
  return reason === 'forbidden' ? 'refuses several of its imports (403)' : 'refuses its credentials (401)'
}
