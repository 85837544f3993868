// Owns writing HTML in which every value is escaped, with unseen characters made visible.
import { visibleText } from '../../base/visible-text.ts'

/** HTML that is safe to send. */
export class Html {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

type Value = Html | string | number | null | readonly Html[]

/** Returns HTML from a template. Values are escaped unless they are HTML already. */
export function html(strings: TemplateStringsArray, ...values: Value[]): Html {
  return new Html(strings.reduce((text, part, index) => text + render(values[index - 1] ?? null) + part))
}

/** Writes a text of several lines, whose breaks stay. For `pre`. */
export function lines(text: string): Html {
  return new Html(text.split('\n').map(render).join('\n'))
}

/** Writes a text as it is, for what a form sends back or a button copies: unseen characters stay unseen. */
export function exact(text: string): Html {
  return new Html(escaped(text))
}

function render(value: Value): string {
  if (value === null) return ''
  if (value instanceof Html) return value.text
  if (typeof value === 'object') return value.map(render).join('')
  return escaped(visibleText(String(value)))
}

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
