// Owns a small line of how a number went on, as SVG: a pure function of numbers. Its scale begins at zero, so that a
// small change looks small.
import { scaleLinear } from 'd3-scale'
import { line } from 'd3-shape'
import { type Html, html } from '../html.ts'

const width = 120
const height = 28
/** Half of the stroke, which would be cut off at the edge. */
const edge = 2

/**
 * @param title what it shows, in words: shown on hover, and read out.
 * @param values from the left. Null: there is none, and the line has a gap.
 */
export function sparkline({ title, values }: { title: string; values: readonly (number | null)[] }): Html {
  const x = scaleLinear([0, Math.max(values.length - 1, 1)], [edge, width - edge])
  const most = values.reduce<number>((largest, value) => Math.max(largest, value ?? 0), 0)
  const y = scaleLinear([0, most > 0 ? most : 1], [height - edge, edge])
  const path = line<number | null>()
    .defined((value) => value !== null)
    .x((_, index) => x(index))
    .y((value) => y(value ?? 0))
    .digits(1)([...values])
  const last = values.findLastIndex((value) => value !== null)
  const end =
    last === -1 ? null : html`<circle cx="${x(last).toFixed(1)}" cy="${y(values[last] ?? 0).toFixed(1)}" r="2"/>`
  return html`<svg class="sparkline" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${title}"><title>${title}</title>${path === null ? null : html`<path d="${path}"/>`}${end}</svg>`
}
