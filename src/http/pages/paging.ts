// Owns the links between the pages of a list.
import { type Html, html } from './html.ts'
import { linkWith } from './query.ts'

interface Place {
  path: string
  query: URLSearchParams
  /** The part of the page that the links lead to. Absent: its top. */
  part?: string
}

/** Null: all is on one page. */
export function paging(next: string | null, { path, query, part = '' }: Place): Html | null {
  if (next === null && !query.has('after')) return null
  const first = query.has('after')
    ? html`<a class="button" href="${linkWith(path, query, { after: null })}${part}">First page</a>`
    : null
  const further =
    next === null
      ? null
      : html`<a class="button" rel="next" href="${linkWith(path, query, { after: next })}${part}">Next page</a>`
  return html`<nav class="paging" aria-label="Pages">${first}${further}</nav>`
}

/** Returns the query of a list that has no filter. */
export function placeIn({ after }: { after?: unknown }): URLSearchParams {
  return new URLSearchParams(typeof after === 'string' && after !== '' ? { after } : {})
}
