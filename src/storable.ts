// Owns making foreign text storable: Postgres takes neither NUL nor half a surrogate pair, and a vendor may send both.

const nul = /\0/g

export function storableText(text: string): string {
  return isStorableText(text) ? text : text.toWellFormed().replace(nul, '\uFFFD')
}

/** A JSON value in which every text, keys too, is storable: the value itself where it is, which it nearly always is. */
export function storableJson(value: unknown): unknown {
  return isStorableJson(value) ? value : replaced(value)
}

function isStorableText(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0')
}

function isStorableJson(value: unknown): boolean {
  if (typeof value === 'string') return isStorableText(value)
  if (typeof value !== 'object' || value === null) return true
  if (Array.isArray(value)) return value.every(isStorableJson)
  for (const key of Object.keys(value))
    if (!isStorableText(key) || !isStorableJson(value[key as keyof typeof value])) return false
  return true
}

function replaced(value: unknown): unknown {
  if (typeof value === 'string') return storableText(value)
  if (Array.isArray(value)) return value.map(replaced)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [storableText(key), replaced(item)]))
}
