// Owns the chart of calls against delay, as SVG: two panels, p50 and p95, both axes logarithmic.
import type { Point } from './curves.ts'

const width = 460
const height = 340
const margin = { left: 52, right: 12, top: 44, bottom: 44 }
const legendHeight = 62
const colours = ['#6b7280', '#2563eb', '#059669', '#dc2626', '#b45309', '#7c3aed', '#0891b2', '#be185d', '#4d7c0f']

export interface Curve {
  name: string
  points: readonly Point[]
}

export interface Mark {
  name: string
  point: Point
}

export function chartOf(title: string, curves: readonly Curve[], marks: readonly Mark[]): string {
  const all = [...curves.flatMap(({ points }) => points), ...marks.map(({ point }) => point)]
  const calls = extent(all.map((point) => point.calls))
  const delays = extent(all.flatMap(({ p50Ms, p95Ms }) => [p50Ms / 1_000, p95Ms / 1_000]))
  const panels = (['p50Ms', 'p95Ms'] as const).map((of, index) => {
    const x = scale(calls, [margin.left, width - margin.right])
    const y = scale(delays, [height - margin.bottom, margin.top])
    const place = (point: Point) => `${x(point.calls).toFixed(1)},${y(point[of] / 1_000).toFixed(1)}`
    const lines = curves.map(({ points }, at) => {
      const sorted = [...points].sort((a, b) => a.calls - b.calls)
      return `<polyline fill="none" stroke="${colours[at]}" stroke-width="2" points="${sorted.map(place).join(' ')}"/>`
    })
    const dots = marks.map(({ point }, at) => {
      const [cx, cy] = place(point).split(',')
      return `<circle cx="${cx}" cy="${cy}" r="4.5" fill="${colours[curves.length + at]}"/>`
    })
    const axes = [
      ...ticks(calls).map((tick) => gridLine(x(tick), margin.top, x(tick), height - margin.bottom, tick, 'x')),
      ...ticks(delays).map((tick) => gridLine(margin.left, y(tick), width - margin.right, y(tick), tick, 'y')),
      text((margin.left + width) / 2, height - 8, 'calls an import', 'middle'),
      text(margin.left, margin.top - 8, `${of.slice(0, 3)} of the delay, s`),
    ]
    return `<g transform="translate(${index * width} 0)">${[...axes, ...lines, ...dots].join('')}</g>`
  })
  const names = [...curves.map(({ name }) => name), ...marks.map(({ name }) => name)]
  const perLine = 4
  const legend = names.map((name, at) => {
    const [left, top] = [20 + (at % perLine) * 225, height + 10 + Math.floor(at / perLine) * 19]
    const sign =
      at < curves.length
        ? `<line x1="${left}" y1="${top}" x2="${left + 16}" y2="${top}" stroke="${colours[at]}" stroke-width="2"/>`
        : `<circle cx="${left + 8}" cy="${top}" r="4.5" fill="${colours[at]}"/>`
    return sign + text(left + 22, top + 4, name)
  })
  const size = `width="${2 * width}" height="${height + legendHeight}" viewBox="0 0 ${2 * width} ${height + legendHeight}"`
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} font-family="sans-serif" font-size="12" role="img">`,
    `<title>Calls against delay: ${title}</title><rect width="100%" height="100%" fill="#ffffff"/>`,
    `<text x="20" y="20" font-size="14" font-weight="bold" fill="#111827">${title}</text>`,
    ...panels,
    ...legend,
    '</svg>\n',
  ].join('\n')
}

function extent(values: readonly number[]): [number, number] {
  return [Math.min(...values) * 0.9, Math.max(...values) * 1.1]
}

function scale([from, to]: [number, number], [low, high]: [number, number]): (value: number) => number {
  return (value) => low + (Math.log(value / from) / Math.log(to / from)) * (high - low)
}

/** 1, 2 and 5 of every power of ten within. */
function ticks([from, to]: [number, number]): number[] {
  const powers = Array.from({ length: 12 }, (_, at) => 10 ** (at - 4))
  return powers.flatMap((power) => [power, 2 * power, 5 * power]).filter((tick) => tick >= from && tick <= to)
}

function gridLine(x1: number, y1: number, x2: number, y2: number, tick: number, axis: 'x' | 'y'): string {
  const line = `<line x1="${x1.toFixed(1)}" y1="${y1.toFixed(1)}" x2="${x2.toFixed(1)}" y2="${y2.toFixed(1)}" stroke="#e5e7eb"/>`
  const label = String(Number(tick.toPrecision(2)))
  return line + (axis === 'x' ? text(x1, y2 + 16, label, 'middle') : text(x1 - 6, y1 + 4, label, 'end'))
}

function text(x: number, y: number, what: string, anchor = 'start'): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}" fill="#374151">${what}</text>`
}
