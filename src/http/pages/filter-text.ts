// Owns saying in words which imports a filter is about.
import { counted, joined, stamp, words } from './format.ts'
import { type Html, html } from './html.ts'

const moments: Record<string, string> = {
  registeredAfter: 'registered from',
  registeredBefore: 'registered before',
  finishedAfter: 'ended from',
  finishedBefore: 'ended before',
}
const names: Record<string, string> = { jobId: 'job id', jobIdPrefix: 'job id begins with' }
const metadataPrefix = 'metadata.'

/** Says the filter of an action or the query of a list: `connection crm, ended from 2026-11-25 00:00:00 UTC`. */
export function filterText({ ids, metadata, ...filter }: Record<string, unknown>): Html {
  const count = Array.isArray(ids) ? ids.length : ids
  const pairs = Object.entries(typeof metadata === 'object' && metadata !== null ? metadata : {})
  const parts = [
    typeof count === 'number' ? html`${counted(count, 'selected import')}` : null,
    ...Object.entries(filter).map(([name, value]) => partText(name, value)),
    ...pairs.map(([key, value]) => partText(`${metadataPrefix}${key}`, value)),
  ]
  return joined(parts, ', ')
}

/** Returns the query of the list with this filter. Null: they were selected one by one. */
export function filterQuery({ ids, metadata, ...filter }: Record<string, unknown>): Record<string, string> | null {
  if (ids !== undefined) return null
  const pairs = Object.entries(typeof metadata === 'object' && metadata !== null ? metadata : {})
  const named = pairs.map(([key, value]) => [`${metadataPrefix}${key}`, value] as const)
  return Object.fromEntries([...Object.entries(filter), ...named].map(([name, value]) => [name, textOf(value, ',')]))
}

function partText(name: string, value: unknown): Html | null {
  if (value === undefined) return null
  const text = textOf(value, ' or ')
  if (name.startsWith(metadataPrefix)) return html`${name.slice(metadataPrefix.length)} = ${text}`
  const moment = moments[name]
  if (moment !== undefined && !Number.isNaN(Date.parse(text)))
    return html`${moment} ${stamp(new Date(text).toISOString())}`
  return html`${moment ?? names[name] ?? name} ${name === 'attention' ? words(text) : text}`
}

function textOf(value: unknown, separator: string): string {
  if (Array.isArray(value)) return value.join(separator)
  if (value instanceof Date) return value.toISOString()
  return typeof value === 'string' ? value : JSON.stringify(value)
}
