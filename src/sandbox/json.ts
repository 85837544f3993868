// Owns JSON whose long lists are made while they are written, so that a million rows are never in memory at once.

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

/** Literal text of many lines, such as CSV, made line by line while it is written. */
export class RowText {
  readonly length: number
  readonly head: string
  readonly at: (index: number) => string

  constructor(length: number, head: string, at: (index: number) => string) {
    this.length = length
    this.head = head
    this.at = at
  }
}

/** A gzipped tar of files, each made when its turn comes. */
export class TarGz {
  readonly length: number
  readonly at: (index: number) => { name: string; body: Json }

  constructor(length: number, at: (index: number) => { name: string; body: Json }) {
    this.length = length
    this.at = at
  }
}

/** Literal text in place of a body. */
export class RawText {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

export type Scalar = string | number | boolean | null
export type Json = Scalar | RowList | RowText | RawText | TarGz | readonly Json[] | JsonObject
/** Undefined fields are left out. */
export type JsonObject = { readonly [name: string]: Json | undefined }

const chunkLength = 65_536

/** Yields what `JSON.stringify` makes of `value`, or its literal text, in pieces of about 64 KiB. */
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

/** Returns `value` with every scalar replaced. Long lists are replaced while they are written. */
export function mapScalars(value: Json, map: (scalar: Scalar) => Json): Json {
  if (typeof value !== 'object' || value === null) return map(value)
  if (isLiteral(value)) return value
  if (value instanceof RowList) return new RowList(value.length, (index) => mapScalars(value.at(index), map))
  if (isList(value)) return value.map((entry) => mapScalars(entry, map))
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [name, field === undefined ? undefined : mapScalars(field, map)]),
  )
}

export function isJsonObject(value: Json): value is JsonObject {
  if (typeof value !== 'object' || value === null) return false
  return !(value instanceof RowList || isLiteral(value) || isList(value))
}

function isLiteral(value: object): value is RawText | RowText | TarGz {
  return value instanceof RawText || value instanceof RowText || value instanceof TarGz
}

function* pieces(value: Json): Generator<string> {
  if (value instanceof TarGz) throw new TypeError('An archive is no text.')
  if (value instanceof RawText) {
    yield value.text
  } else if (value instanceof RowText) {
    yield value.head
    for (let index = 0; index < value.length; index++) yield value.at(index)
  } else if (value instanceof RowList) {
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
