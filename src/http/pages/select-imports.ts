// Owns selecting imports in their list, to do something to many of them.

import { parse } from '../../api/validation.ts'
import type { Database } from '../../db/client.ts'
import { actions, type ImportAction } from '../../imports/act.ts'
import { countImports } from '../../imports/find.ts'
import type { listImports } from '../../imports/read.ts'
import { filterOf, importQuery } from '../import-query.ts'
import { number } from './format.ts'
import { type Html, html } from './html.ts'
import { givenIn } from './query.ts'

/** How many matching imports a list counts at most. */
const counted = 10_000
/** What in the query of a list is no filter. */
const ofLists = ['order', 'limit', 'after']

export const actionTitles: Record<ImportAction, string> = { poll: 'Poll now', stop: 'Stop', resume: 'Resume' }

/** Returns true if the query of a list filters it. */
export function isNarrowed(query: URLSearchParams): boolean {
  return [...query.keys()].some((name) => !ofLists.includes(name))
}

/** Returns the filter of a list's query. @throws {AppError} `invalid_request` */
export function filterOfQuery(query: URLSearchParams) {
  const filter = new URLSearchParams(query)
  for (const name of ofLists) filter.delete(name)
  const { limit: _limit, ...narrowed } = filterOf(parse(importQuery, givenIn(filter), 'filter'))
  return narrowed
}

/** Returns how many match, if they are more than the page shows. Null: they aren't, or nothing was asked for. */
export async function countMatching(
  deps: { db: Database },
  query: URLSearchParams,
  { data, next }: Awaited<ReturnType<typeof listImports>>,
): Promise<string | null> {
  const isAll = next === null && !query.has('after')
  if (data.length === 0 || isAll || !isNarrowed(query)) return null
  const count = await countImports(deps, filterOfQuery(query), counted + 1)
  return count > counted ? `more than ${number(counted)}` : number(count)
}

interface Selection {
  basePath: string
  table: Html
  query: URLSearchParams
  matching: string | null
}

/** The table in a form that leads to a page which asks once more. */
export function selection({ basePath, table, query, matching }: Selection): Html {
  const filter = new URLSearchParams(query)
  for (const name of ofLists) filter.delete(name)
  return html`<form method="post" action="${basePath}/imports/actions/confirm" class="many"><input type="hidden" name="back" value="${query.toString()}">${table}
<div class="selection" role="group" aria-label="Do it to many"><label class="choice" data-select-page><input type="checkbox"> All on this page</label>
${matching === null ? null : html`<label class="choice"><input type="checkbox" name="all" value="${filter.toString()}">All ${matching} that match</label>`}
${actions.map((action) => html`<button name="action" value="${action}">${actionTitles[action]} …</button>`)}<span role="status" data-selected></span></div></form>
<script defer src="${basePath}/assets/select.js"></script>`
}
