// Owns keyset paging: the page, and the opaque cursor that `next` gives and `after` takes. A cursor holds the sort key
// of the last row shown, so pages stay stable while rows are added.
import { z } from 'zod'
import { isId } from '../base/ids.ts'
import { storableText } from '../base/storable-text.ts'
import { invalid } from './refusal.ts'

export const defaultPageSize = 100
export const maxPageSize = 1_000

export interface PageQuery {
  limit: number
  /** `next` of the page before; absent: the first page. */
  after?: string | undefined
}

export interface Page<Row> {
  data: Row[]
  /** Null: this was the last page. */
  next: string | null
}

/** The sort key of lists by id, as most lists are. */
export const idKey = z.tuple([z.string().refine(isId)])
/** The sort keys of lists by one whole number or two. */
export const numberKey = z.tuple([z.int32()])
export const numberPairKey = z.tuple([z.int32(), z.int32()])
export const textKey = z.tuple([z.string().refine((text) => storableText(text) === text)])

export const timeAndIdKey = z.tuple([z.iso.datetime(), z.string().refine(isId)])

/** @throws {AppError} invalid_request when `after` isn't a cursor that this list gave. */
export function readCursor<Key>(after: string | undefined, key: z.ZodType<Key>): Key | null {
  if (after === undefined) return null
  const parsed = key.safeParse(parseJson(Buffer.from(after, 'base64url').toString('utf8')))
  if (!parsed.success) throw invalid('after', 'must be `next` of an earlier answer of this list')
  return parsed.data
}

/**
 * Returns a page of up to `limit` rows. The caller reads one row more, so that the page knows whether there is a next
 * one.
 */
export function pageOf<Row>(
  rows: readonly Row[],
  limit: number,
  keyOf: (row: Row) => readonly (string | number)[],
): Page<Row> {
  const data = rows.slice(0, limit)
  const last = data.at(-1)
  return { data, next: rows.length > limit && last !== undefined ? writeCursor(keyOf(last)) : null }
}

function writeCursor(key: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(key)).toString('base64url')
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
