// Owns the row of counts by state, each a link to its imports.
import { type ImportState, states } from '../../model/import-state.ts'
import { number, stateBadge } from './format.ts'
import { type Html, html } from './html.ts'

export type StateCounts = () => Promise<Record<ImportState, number>>

/** @param path that of the list of imports. */
export function stateCounts(path: string, counts: Record<ImportState, number>): Html {
  return html`<ul class="counts" aria-label="Imports by state">${states.map(
    (state) =>
      html`<li><a class="count" href="${path}?state=${state}"><b>${number(counts[state])}</b>${stateBadge(state)}</a></li>`,
  )}</ul>`
}
