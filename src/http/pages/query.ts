// Owns the query strings of pages: those of the API's lists, as links carry them and forms write them.

/** What a list of states or pairs of metadata is called in a form. */
const metadataField = 'metadata'

/**
 * Returns what a form or a link asks for, written as the API has it: no empty fields, several states in one, metadata as
 * `metadata.KEY=VALUE`, and moments in UTC with a zone.
 */
export function canonicalQuery(given: Record<string, unknown>): URLSearchParams {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(given)) {
    const texts = (Array.isArray(value) ? value : [value]).map(String).filter((text) => text.trim() !== '')
    if (name.startsWith('metadata.')) query.set(name, String(value))
    if (texts.length === 0 || query.has(name) || (name === 'order' && texts[0] === 'newest')) continue
    if (name === metadataField) for (const [key, text] of pairsOf(texts.join(','))) query.set(`metadata.${key}`, text)
    else
      query.set(
        name,
        texts.map(name.endsWith('After') || name.endsWith('Before') ? withZone : (text) => text).join(','),
      )
  }
  query.sort()
  return query
}

/** Returns the pairs of a query as a form shows them: `team=sales, run=42`. */
export function metadataText(query: URLSearchParams): string {
  return [...query]
    .flatMap(([name, value]) => (name.startsWith('metadata.') ? [`${name.slice('metadata.'.length)}=${value}`] : []))
    .join(', ')
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

/** A pair without `=` is a key whose value is asked for in vain, which the list shows. */
function pairsOf(text: string): [key: string, value: string][] {
  return text
    .split(',')
    .map((pair) => pair.trim())
    .filter((pair) => pair !== '')
    .map((pair) => {
      const at = pair.indexOf('=')
      return at === -1 ? [pair, ''] : [pair.slice(0, at).trim(), pair.slice(at + 1).trim()]
    })
}

/** Returns a moment as a field of a form has it: in UTC, without its zone. */
export function localTime(iso: string): string {
  const time = Date.parse(iso)
  return Number.isNaN(time) ? '' : new Date(time).toISOString().slice(0, 19)
}

/** A field of a form has no zone: the pages are in UTC. */
export function withZone(text: string): string {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?$/.test(text) ? `${text}${text.length === 16 ? ':00' : ''}Z` : text
}
