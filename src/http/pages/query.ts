// Owns the query strings of pages: those of the API's lists, as links carry them and forms write them.

/** The field of a form that has all pairs of metadata. */
const metadataField = 'metadata'

/**
 * Returns what a form or a link asks for, written as the API has it: no empty fields, several states in one, metadata as
 * `metadata.KEY=VALUE`, and moments in UTC with a zone.
 */
export function canonicalQuery(given: Record<string, unknown>): URLSearchParams {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(given)) {
    const texts = (Array.isArray(value) ? value : [value]).map(String).filter((text) => text.trim() !== '')
    if (name.startsWith('metadata.')) for (const one of [value].flat()) query.append(name, String(one))
    if (texts.length === 0 || query.has(name) || (name === 'order' && texts[0] === 'newest')) continue
    if (name === metadataField)
      for (const [key, text] of pairsOf(texts.join(','))) query.append(`metadata.${key}`, text)
    else
      query.set(
        name,
        texts.map(name.endsWith('After') || name.endsWith('Before') ? withZone : (text) => text).join(','),
      )
  }
  query.sort()
  return query
}

/** Returns the query as the API reads it: what is given more than once is a list. */
export function givenIn(query: URLSearchParams): Record<string, string | string[]> {
  const names = new Set(query.keys())
  return Object.fromEntries(
    [...names].map((name) => {
      const texts = query.getAll(name)
      return [name, texts.length === 1 ? texts.join() : texts]
    }),
  )
}

/** Returns the pairs of a query as a form shows them: `team=sales, "sold to"="Rome, Paris"`. */
export function metadataText(query: URLSearchParams): string {
  return [...query]
    .filter(([name]) => name.startsWith('metadata.'))
    .map(([name, value]) => `${quoted(name.slice('metadata.'.length), /[=,"]/)}=${quoted(value, /[,"]/)}`)
    .join(', ')
}

/** A form gives back what it shows, so what it would split, trim or drop stands as a JSON string. */
function quoted(text: string, apart: RegExp): string {
  return apart.test(text) || /^\s|\s$|\p{Cc}/u.test(text) ? JSON.stringify(text) : text
}

/** Returns a link to the path with this query and some changes of it. Null takes a parameter away. */
export function linkWith(
  path: string,
  query: URLSearchParams | Record<string, string>,
  changes: Record<string, string | null> = {},
): string {
  const next = new URLSearchParams(query)
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) next.delete(name)
    else next.set(name, value)
  }
  return next.size === 0 ? path : `${path}?${next}`
}

/** A key, `=` and a value. Either may be a JSON string; a quote within a text is a letter as any other. */
const pairs = /(\s*"(?:[^"\\]|\\.)*"\s*(?=[=,]|$)|[^,=]*)(?:=(\s*"(?:[^"\\]|\\.)*"\s*(?=,|$)|[^,]*))?(?:,|$)/gy

/** A pair without `=` is a key whose value is asked for in vain, which the list shows. */
function pairsOf(text: string): [key: string, value: string][] {
  return [...text.matchAll(pairs)]
    .map(([, key = '', value = '']): [string, string] => [unquoted(key), unquoted(value)])
    .filter(([key, value]) => key !== '' || value !== '')
}

function unquoted(text: string): string {
  const trimmed = text.trim()
  if (!trimmed.startsWith('"')) return trimmed
  try {
    return String(JSON.parse(trimmed))
  } catch {
    return trimmed
  }
}

/** Returns a moment as a field of a form has it: in UTC, without its zone, to the second where that is all of it. */
export function localTime(iso: string): string {
  const time = Date.parse(iso)
  if (Number.isNaN(time)) return ''
  return new Date(time).toISOString().slice(0, -1).replace('.000', '')
}

/** A field of a form has no zone: the pages are in UTC. */
export function withZone(text: string): string {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?$/.test(text) ? `${text}${text.length === 16 ? ':00' : ''}Z` : text
}
