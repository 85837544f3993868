// Owns making foreign text storable: Postgres takes neither NUL nor half a surrogate pair, and a vendor may send both.

const nul = /\0/g

export function storableText(text: string): string {
  return text.toWellFormed().replace(nul, '\uFFFD')
}

/** A copy of a JSON value in which every text, keys too, is storable. */
export function storableJson(value: unknown): unknown {
  if (typeof value === 'string') return storableText(value)
  if (Array.isArray(value)) return value.map(storableJson)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [storableText(key), storableJson(item)]))
}
