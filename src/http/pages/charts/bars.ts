// Owns stacked bars as SVG: pure functions of numbers. Widths are shares of the space that there is, heights are pixels,
// so that texts keep their size at any width. Each kind of part has a pattern besides its colour.
import { scaleBand, scaleLinear } from 'd3-scale'
import { stack } from 'd3-shape'
import { type Html, html } from '../html.ts'

export interface Bar {
  /** What it is of, as its titles say it: `2026-11-22`. */
  label: string
  /** What stands below it where there is room: `22 Nov`. */
  shortLabel: string
  /** By kind. A kind that is missing has none. */
  counts: Readonly<Record<string, number>>
}

export interface BarsInput {
  /** What the chart is, for who can't see it. */
  title: string
  /** From the left. */
  bars: readonly Bar[]
  /** From the bottom up. Each is a class of the style sheet, and one of `patterns`. */
  kinds: readonly PatternName[]
  /** Where a part leads. */
  href: (bar: Bar, kind: PatternName) => string
}

const height = 150
const labelHeight = 20
/** So that one import beside ten thousand others can be seen. */
const leastHeight = 3
const labelEvery = 7

export function stackedBars({ title, bars, kinds, href }: BarsInput): Html {
  const most = Math.max(0, ...bars.map(({ counts }) => kinds.reduce((sum, kind) => sum + (counts[kind] ?? 0), 0)))
  const x = scaleBand(
    bars.map(({ label }) => label),
    [0, 100],
  ).padding(0.2)
  const room = height - kinds.length * leastHeight
  const tall = scaleLinear([0, Math.max(most, 1)], [0, room])
  const heightOf = (bar: Bar, kind: PatternName) => {
    const count = bar.counts[kind] ?? 0
    return count > 0 ? Math.max(tall(count), leastHeight) : 0
  }
  const layers = stack<Bar, PatternName>().keys(kinds).value(heightOf)([...bars])
  const parts = layers.flatMap((layer) =>
    layer.flatMap((span, index) => {
      const bar = bars[index]
      const count = bar?.counts[layer.key] ?? 0
      if (bar === undefined || count === 0) return []
      const place = html`x="${percent(x(bar.label) ?? 0)}" width="${percent(x.bandwidth())}" y="${pixels(height - span[1])}" height="${pixels(span[1] - span[0])}"`
      const text = `${bar.label}: ${count.toLocaleString('en')} ${layer.key}`
      return [
        html`<a href="${href(bar, layer.key)}" tabindex="-1" aria-label="${text}"><title>${text}</title><rect ${place} fill="url(#fill-${layer.key})" class="${layer.key}"/></a>`,
      ]
    }),
  )
  const lines = most === 0 ? [] : tall.ticks(3).filter((tick) => tick > 0 && Number.isInteger(tick))
  return html`<svg class="bars" width="100%" height="${height + labelHeight}" role="group" aria-label="${title}">
<defs>${kinds.map(pattern)}</defs>
${lines.map((tick) => html`<line x1="0" x2="100%" y1="${pixels(height - tall(tick))}" y2="${pixels(height - tall(tick))}"/>`)}
<line x1="0" x2="100%" y1="${height}" y2="${height}"/>
${parts}
${lines.map((tick) => html`<text x="0" y="${pixels(height - tall(tick) - 3)}">${tick.toLocaleString('en')}</text>`)}
${bars.flatMap((bar, index) => label(bar, bars.length - 1 - index, bars.length, (x(bar.label) ?? 0) + x.bandwidth() / 2))}
</svg>`
}

/** Below the newest bar, and each seventh before it. Those at the edges stay within. */
function label({ shortLabel }: Bar, fromEnd: number, count: number, middle: number): Html[] {
  if (fromEnd % labelEvery !== 0) return []
  const [at, anchor] =
    fromEnd === 0 && count > 1 ? [100, 'end'] : fromEnd > count - 3 && count > 1 ? [0, 'start'] : [middle, 'middle']
  return [html`<text x="${percent(at)}" y="${height + 15}" text-anchor="${anchor}">${shortLabel}</text>`]
}

/** The sign of a kind in a legend. */
export function swatch(kind: PatternName): Html {
  return html`<svg class="swatch" width="14" height="14" aria-hidden="true"><rect width="14" height="14" rx="2" fill="url(#fill-${kind})"/></svg>`
}

/** What tells kinds apart without their colours. The colour is the class's own. */
const patterns = {
  succeeded: html`<rect width="6" height="6" fill="currentcolor" opacity="0.8"/>`,
  partial: html`<path d="M0 6L6 0M-1 1L1 -1M5 7L7 5" stroke="currentcolor" stroke-width="2"/>`,
  failed: html`<rect width="6" height="6" fill="currentcolor"/><path d="M0 0L6 6M0 6L6 0" class="cut"/>`,
  lost: html`<circle cx="3" cy="3" r="1.8" fill="currentcolor"/>`,
  canceled: html`<path d="M0 3H6" stroke="currentcolor" stroke-width="2.5"/>`,
  stopped: html`<path d="M3 0V6" stroke="currentcolor" stroke-width="2.5"/>`,
} as const

export type PatternName = keyof typeof patterns

function pattern(kind: PatternName): Html {
  return html`<pattern id="fill-${kind}" class="${kind}" width="6" height="6" patternUnits="userSpaceOnUse"><rect width="6" height="6" fill="currentcolor" opacity="0.25"/>${patterns[kind]}</pattern>`
}

function percent(value: number): string {
  return `${rounded(value)}%`
}

function pixels(value: number): string {
  return `${rounded(value)}`
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100
}
