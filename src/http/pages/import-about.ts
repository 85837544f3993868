// Owns what every part of an import's page is given, and the frame of such a part.
import type { ApiImport } from '../../imports/present.ts'
import { type Html, html } from './html.ts'

export interface About {
  basePath: string
  now: Date
  one: ApiImport
}

/** A section with a heading, which links lead to. */
export function section(id: string, title: Html | string, body: Html): Html {
  return html`<section class="card" aria-labelledby="${id}"><h2 id="${id}">${title}</h2>${body}</section>`
}
