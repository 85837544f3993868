// Owns JSON whose long lists are made while they are written, so that a list of a million rows never stands in memory.

/** A list that is computed row by row. */
export class RowList {
  readonly length: number
  readonly at: (index: number) => Json

  constructor(length: number, at: (index: number) => Json) {
    this.length = length
    this.at = at
  }

  toJSON(): Json[] {
    return Array.from({ length: this.length }, (_, index) => this.at(index))
  }
}

export type Json = string | number | boolean | null | RowList | readonly Json[] | JsonObject
/** Fields that are undefined are left out. */
export type JsonObject = { readonly [name: string]: Json | undefined }

const chunkLength = 65_536

/** What `JSON.stringify` makes of `value`, in pieces of about 64 KiB. */
export function* jsonChunks(value: Json): Generator<string> {
  let text = ''
  for (const piece of pieces(value)) {
    text += piece
    if (text.length >= chunkLength) {
      yield text
      text = ''
    }
  }
  if (text !== '') yield text
}

/** `value` with every number in it replaced, long lists as they are written. */
export function mapNumbers(value: Json, map: (number: number) => Json): Json {
  if (typeof value === 'number') return map(value)
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof RowList) return new RowList(value.length, (index) => mapNumbers(value.at(index), map))
  if (isList(value)) return value.map((entry) => mapNumbers(entry, map))
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [name, field === undefined ? undefined : mapNumbers(field, map)]),
  )
}

export function isJsonObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !(value instanceof RowList) && !isList(value)
}

function* pieces(value: Json): Generator<string> {
  if (value instanceof RowList) {
    yield '['
    for (let index = 0; index < value.length; index++) {
      yield (index === 0 ? '' : ',') + JSON.stringify(value.at(index))
    }
    yield ']'
  } else if (typeof value !== 'object' || value === null || isList(value)) {
    yield JSON.stringify(value)
  } else {
    let separator = '{'
    for (const [name, field] of Object.entries(value)) {
      if (field === undefined) continue
      yield `${separator}${JSON.stringify(name)}:`
      yield* pieces(field)
      separator = ','
    }
    yield separator === '{' ? '{}' : '}'
  }
}

// Array.isArray alone doesn't narrow a readonly array.
function isList(value: object): value is readonly Json[] {
  return Array.isArray(value)
}
