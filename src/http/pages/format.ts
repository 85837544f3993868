// Owns how pages write numbers, times, durations and states.
import { wholePercent } from '../../base/percent.ts'
import type { ImportState } from '../../model/import-state.ts'
import { type Html, html } from './html.ts'

export function number(value: number | null): string {
  return value === null ? '–' : value.toLocaleString('en')
}

/** `1 row`, `2 rows`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${number(count)} ${count === 1 ? one : many}`
}

const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
] as const

/** `5 min 22 s`: the two largest units. A part of a millisecond doesn't count. */
export function duration(milliseconds: number): string {
  const ms = Math.max(0, Math.round(milliseconds))
  const first = units.findIndex(([, length]) => ms >= length)
  const unit = units[first]
  if (unit === undefined) return `${ms} ms`
  const [name, length] = unit
  const whole = Math.floor(ms / length)
  const [nextName, nextLength] = units[first + 1] ?? ['', Number.POSITIVE_INFINITY]
  const rest = Math.floor((ms - whole * length) / nextLength)
  return rest === 0 ? `${whole} ${name}` : `${whole} ${name} ${rest} ${nextName}`
}

/**
 * `3 min ago`, `in 40 s`: the largest unit. The moment itself is in the title. `data-away` says how far it is away in
 * milliseconds, so that a script can go on counting by this clock.
 */
export function when(iso: string | null, now: Date): Html {
  if (iso === null) return html`–`
  const ms = Date.parse(iso) - now.getTime()
  const [name, length] = units.find(([, unit]) => Math.abs(ms) >= unit) ?? ['s', 1_000]
  const count = Math.floor(Math.abs(ms) / length)
  const text = count === 0 ? 'now' : ms < 0 ? `${count} ${name} ago` : `in ${count} ${name}`
  return html`<time datetime="${iso}" title="${moment(iso)}" data-away="${ms}">${text}</time>`
}

/** `in 40 s`, and of what waits for its turn `due 3 s ago`. */
export function due(iso: string | null, now: Date): Html {
  return iso !== null && Date.parse(iso) <= now.getTime() ? html`due ${when(iso, now)}` : when(iso, now)
}

/** The moment, and how long ago it was. */
export function at(iso: string | null, now: Date): Html {
  return iso === null ? html`–` : html`${when(iso, now)} <small>${stamp(iso)}</small>`
}

/** A moment that a script may show in the reader's zone. */
export function stamp(iso: string): Html {
  return html`<time datetime="${iso}">${moment(iso)}</time>`
}

/** `2026-11-25 22:06:11 UTC` */
export function moment(iso: string): string {
  return `${iso.slice(0, 19).replace('T', ' ')} UTC`
}

const signs: Record<ImportState, string> = {
  pending: '○',
  queued: '◔',
  running: '▶',
  succeeded: '✓',
  partial: '◐',
  failed: '✕',
  canceled: '⊘',
  lost: '?',
  stopped: '■',
}

/** The state's word with a sign of its own, so that its colour tells nothing alone. */
export function stateBadge(state: ImportState): Html {
  return html`<span class="badge ${state}"><span aria-hidden="true">${signs[state]}</span> ${state}</span>`
}

export function badge(kind: 'good' | 'warn' | 'bad' | 'plain', sign: string, text: string): Html {
  return html`<span class="badge ${kind}"><span aria-hidden="true">${sign}</span> ${text}</span>`
}

/** `unmapped_status` → `unmapped status` */
export function words(code: string): string {
  return code.replaceAll('_', ' ')
}

export function progressBar(progress: number | null): Html {
  if (progress === null) return html`–`
  const percent = wholePercent(progress)
  return html`<progress value="${progress}" max="1">${percent} %</progress> <small class="number">${percent} %</small>`
}

/** Joins parts with a separator, leaving out what is null. */
export function joined(parts: readonly (Html | null)[], separator = ' · '): Html {
  const shown = parts.filter((part) => part !== null)
  return html`${shown.flatMap((part, index) => (index === 0 ? [part] : [html`${separator}`, part]))}`
}
