// Owns lists and single things as text for people: tables that fit the width, and a line a field.
import stringWidth from 'string-width'
import { visibleText } from '../base/visible-text.ts'
import { fitted } from '../terminal/fitted.ts'

export interface Column<Item> {
  title: string
  text(item: Item): string
  /** May be cut where the table is too wide. */
  canShrink?: boolean
}

const narrowest = 3

/** Returns the widths that these rows need, cut to fit: the widest column that can shrink gives way first. */
export function widthsFor<Item>(columns: readonly Column<Item>[], items: readonly Item[], width: number): number[] {
  const widths = columns.map(({ title, text }) =>
    items.reduce((widest, item) => Math.max(widest, stringWidth(visibleText(text(item)))), title.length),
  )
  for (;;) {
    const sum = widths.reduce((all, one) => all + one + 1, -1)
    if (sum <= width) return widths
    const candidates = widths.map((one, index) => (columns[index]?.canShrink && one > narrowest ? one : 0))
    const widest = Math.max(...candidates)
    if (widest === 0) return widths
    widths[candidates.indexOf(widest)] = widest - 1
  }
}

export function row(cells: readonly string[], widths: readonly number[]): string {
  return cells
    .map((cell, index) => fitted(visibleText(cell), widths[index] ?? 0))
    .join(' ')
    .trimEnd()
}

/** A line a field that has a value; a field of a field is `rows.total`. */
export function fieldLines(thing: object): string[] {
  const fields = flat(thing)
  const width = Math.max(0, ...fields.map(([name]) => name.length))
  return fields.map(([name, value]) => `${name.padEnd(width)}  ${visibleText(value)}`)
}

function flat(thing: object, prefix = ''): [string, string][] {
  return Object.entries(thing).flatMap(([name, value]): [string, string][] => {
    if (value === null || value === undefined) return []
    if (Array.isArray(value)) return value.length === 0 ? [] : [[prefix + name, value.map(shown).join(', ')]]
    return typeof value === 'object' ? flat(value, `${prefix}${name}.`) : [[prefix + name, String(value)]]
  })
}

function shown(value: unknown): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
