// Owns what every part of an import's page is given, and the frame of such a part.

import type { Pause } from '../../connections/read.ts'
import type { ApiImport } from '../../imports/present.ts'
import { type Html, html } from './html.ts'

export interface About {
  basePath: string
  now: Date
  one: ApiImport
  /** Why its connection isn't asked. Null: it is, or the import is over. */
  pause: Pause | null
  /** When it was resumed last, ISO 8601. Null: it never was. */
  resumedAt: string | null
}

/** A section with a heading, which links lead to. */
export function section(id: string, title: Html | string, body: Html): Html {
  return html`<section class="card" aria-labelledby="${id}"><h2 id="${id}">${title}</h2>${body}</section>`
}
