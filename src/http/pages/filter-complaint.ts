// Owns what a list says of a filter that it can't read: its form stays, and so does the rest of the page.
import type { AppError } from '../../api/refusal.ts'
import { type Html, html } from './html.ts'

/** @param path of the list without a filter. */
export function filterComplaint(path: string, { errors, message }: AppError): Html {
  const lines = errors.length > 0 ? errors.map(({ field, message: what }) => `${field} ${what}`) : [message]
  return html`<div role="alert"><p><b>The filter can’t be read</b></p>
<ul>${lines.map((line) => html`<li class="complaint">${line}</li>`)}</ul>
<p><a class="button" href="${path}">Clear the filter</a></p></div>`
}
