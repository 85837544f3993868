// Owns lists of pages that follow each other as one: the cursor says which list it is in, and which ones come behind it.
import { firstPage, type PageList, type Provider } from '../contract.ts'
import type { Credentials, Settings } from './account.ts'
import type { Holds, Scope } from './evaluate.ts'

export interface CompiledList {
  /** Returns true if the job has this list. */
  applies: Holds
  list: PageList<Credentials, Settings>
}

type Details = NonNullable<Provider<Credentials, Settings>['details']>

/** @param scopeOf The stored report stands in for the status answer. */
export function inOrder(
  compiled: readonly CompiledList[],
  scopeOf: (report: Parameters<NonNullable<Details['begin']>>[0], settings: unknown) => Scope,
): Details | null {
  const [only] = compiled
  if (!only) return null
  if (compiled.length === 1) return only.list
  const lists = compiled.map(({ list }) => list)
  const all = [...lists.keys()]
  const listAt = ([index = 0]: readonly number[]) => lists[index] ?? only.list
  return {
    lists,
    begin(report, settings) {
      const scope = scopeOf(report, settings)
      const left = all.filter((index) => compiled[index]?.applies(scope))
      return left.length === 0 ? null : cursorOf({ left, cursor: firstPage })
    },
    request(job, cursor) {
      const place = placeOf(cursor, all)
      return listAt(place.left).request(job, place.cursor)
    },
    read(body, cursor, head) {
      const { left, cursor: asked } = placeOf(cursor, all)
      const page = listAt(left).read(body, asked, head)
      const goesOn = page.next !== null && page.next !== firstPage && page.next !== asked
      const others = left.slice(1)
      const behind = others.length === 0 ? null : cursorOf({ left: others, cursor: firstPage })
      if (!goesOn) return { ...page, next: behind }
      return { ...page, next: cursorOf({ left, cursor: page.next ?? firstPage }), ...(behind !== null && { behind }) }
    },
  }
}

/** Returns which lists are read from this cursor on. */
export function listsAt(cursor: string): readonly number[] {
  return cursor === firstPage ? [0] : placeOf(cursor, []).left
}

interface Place {
  /** The list that it is in, and those behind it. */
  left: number[]
  /** Of that list. */
  cursor: string
}

function cursorOf({ left, cursor }: Place): string {
  return JSON.stringify([left, cursor])
}

function placeOf(cursor: string, all: number[]): Place {
  if (cursor === firstPage) return { left: all, cursor: firstPage }
  const [left, inner] = JSON.parse(cursor)
  return { left, cursor: inner }
}
