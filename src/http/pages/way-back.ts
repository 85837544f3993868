// Owns the way back to our own pages from applications that come as a bundle.
import { type Html, html } from './html.ts'

/** What the head of such a page needs for it. */
export function wayBackStyle(basePath: string): Html {
  return html`<link rel="stylesheet" href="${basePath}/assets/application.css">`
}

export function wayBack(basePath: string): Html {
  return html`<a class="way-back" href="${basePath}/">← Import Tracker</a>`
}
