// Owns the field of a moment: in UTC, because a field of a form has no zone.
import { type Html, html } from './html.ts'
import { localTime } from './query.ts'

interface MomentInput {
  name: string
  /** The moment as ISO 8601, in any zone. What is none is shown as a blank field. */
  value: string
  id?: string
}

/** A moment between seconds needs a finer step, or the browser refuses to send the form. */
export function momentInput({ name, value, id }: MomentInput): Html {
  const shown = localTime(value)
  const step = shown.includes('.') ? '0.001' : '1'
  return html`<input${id === undefined ? null : html` id="${id}"`} type="datetime-local" step="${step}" name="${name}" value="${shown}">`
}
