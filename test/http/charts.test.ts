import { expect, test } from 'vitest'
import { type Bar, type PatternName, stackedBars } from '../../src/http/pages/charts/bars.ts'
import { sparkline } from '../../src/http/pages/charts/sparkline.ts'

const kinds = ['succeeded', 'partial', 'failed'] as const satisfies PatternName[]

function draw(days: Bar['counts'][]): string {
  const bars = days.map((counts, index) => ({ label: `day ${index}`, shortLabel: `d${index}`, counts }))
  return stackedBars({ title: 'Bars', bars, kinds, href: ({ label }, kind) => `/list?day=${label}&kind=${kind}` }).text
}

/** The rectangles of bars: those in links. */
function partsOf(svg: string) {
  return [...svg.matchAll(/<a href="([^"]+)"[^>]*><title>([^<]+)<\/title><rect ([^>]+)\/><\/a>/g)].map(
    ([, href = '', title, attributes = '']) => {
      const of = (name: string) => Number(new RegExp(`${name}="([\\d.]+)%?"`).exec(attributes)?.[1])
      return { href, title, x: of('x'), y: of('y'), width: of('width'), height: of(' height') }
    },
  )
}

test('each part has its title, its link, and a height by its number, on top of the one before', () => {
  const [first, second, third, ...others] = partsOf(draw([{ succeeded: 6, partial: 2 }, { failed: 4 }]))
  expect(others).toEqual([])
  expect(first).toMatchObject({ title: 'day 0: 6 succeeded', href: '/list?day=day 0&#38;kind=succeeded' })
  expect(second).toMatchObject({ title: 'day 0: 2 partial', x: first?.x })
  expect(third).toMatchObject({ title: 'day 1: 4 failed' })
  expect(first?.height).toBeCloseTo(3 * (second?.height ?? 0), 1)
  expect((second?.y ?? 0) + (second?.height ?? 0)).toBeCloseTo(first?.y ?? 0, 1)
  expect(third?.x).toBeGreaterThan((first?.x ?? 0) + (first?.width ?? 0))
})

test.each([
  ['no day', []],
  ['a day without any', [{}]],
  ['thirty days without any', Array.from({ length: 30 }, () => ({}))],
  ['zeros', [{ succeeded: 0, failed: 0 }]],
])('%s has no parts, no scale, and no number that isn’t one', (_name, days) => {
  const svg = draw(days)
  expect(partsOf(svg)).toEqual([])
  expect(svg).not.toMatch(/NaN|Infinity|undefined/)
})

test.each([
  ['one day', [{ succeeded: 3 }]],
  ['all of one outcome', Array.from({ length: 30 }, () => ({ failed: 7 }))],
  ['one beside millions', [{ succeeded: 5_000_000, failed: 1 }, { failed: 1 }]],
  ['the largest number', [{ succeeded: Number.MAX_SAFE_INTEGER, partial: 1, failed: 1 }]],
])('%s: every part can be seen, within the chart', (_name, days) => {
  const svg = draw(days)
  expect(svg).not.toMatch(/NaN|Infinity|undefined|e\+/)
  const parts = partsOf(svg)
  expect(parts).toHaveLength(days.flatMap((day) => Object.values(day)).length)
  for (const { x, y, width, height } of parts) {
    expect(height).toBeGreaterThanOrEqual(3)
    expect(y).toBeGreaterThanOrEqual(0)
    expect(y + height).toBeLessThanOrEqual(150.01)
    expect(x + width).toBeLessThanOrEqual(100)
  }
})

test('kinds are told apart by patterns, and nothing has a style of its own', () => {
  const svg = draw([{ succeeded: 1, partial: 1, failed: 1 }])
  for (const kind of kinds) {
    expect(svg).toContain(`<pattern id="fill-${kind}" class="${kind}"`)
    expect(svg).toContain(`fill="url(#fill-${kind})"`)
  }
  expect(svg).not.toContain('style')
})

test('a line has a gap where there is no number, and a point at the last one', () => {
  const svg = sparkline({ title: 'A & B', values: [1, null, 2, 4, null] }).text
  expect(svg).toContain('<title>A &#38; B</title>')
  expect(/ d="([^"]+)"/.exec(svg)?.[1]?.match(/M/g)).toHaveLength(2)
  expect(svg).toContain('<circle cx="89.0" cy="2.0"')
})

test.each([
  [[], 0],
  [[null, null], 0],
  [[5], 1],
  [[0, 0], 1],
  [[1e-9, 1e12], 1],
])('a line of %j stays within its space', (values, points) => {
  const svg = sparkline({ title: 'Line', values }).text
  expect(svg).not.toMatch(/NaN|Infinity|undefined/)
  expect(svg.match(/<circle/g) ?? []).toHaveLength(points)
  const [, path = ''] = / d="([^"]+)"/.exec(svg) ?? []
  for (const number of path.match(/-?[\d.]+/g) ?? []) expect(Number(number)).toBeGreaterThanOrEqual(2)
})
