// Owns the form of the filter of imports.
import { after } from '../../base/clock.ts'
import { attentions, states } from '../../model/import-state.ts'
import { filterText } from './filter-text.ts'
import { stateBadge, words } from './format.ts'
import { exact, Html, html } from './html.ts'
import { momentInput } from './moment-input.ts'
import { linkWith, metadataText } from './query.ts'

const dayMs = 86_400_000
const presets = [
  ['last hour', 3_600_000],
  ['last 24 h', dayMs],
  ['last 7 days', 7 * dayMs],
] as const
/** Whole days in UTC, and how many days ago they were. */
const days = [
  ['today', 0],
  ['yesterday', 1],
] as const
/** The fields that are folded away. */
const folded = [
  'provider',
  'attention',
  'jobId',
  'registeredAfter',
  'registeredBefore',
  'finishedAfter',
  'finishedBefore',
]

export interface FilterFormContent {
  path: string
  query: URLSearchParams
  /** The names of the connections and the providers. */
  /** Null: there are too many to choose from. */
  connections: readonly string[] | null
  providers: readonly string[]
  now: Date
}

export function filterForm({ path, query, connections, providers, now }: FilterFormContent): Html {
  const value = (name: string) => query.get(name) ?? ''
  const chosen = new Set(value('state').split(','))
  const set = [...query].filter(([name]) => folded.includes(name) || name.startsWith('metadata.'))
  return html`<form class="card filter" method="get" action="${path}">
<div class="fields">
<label class="wide">Job id begins with <input type="search" name="jobIdPrefix" value="${exact(value('jobIdPrefix'))}" autocomplete="off" spellcheck="false"></label>
<label>Connection ${
    connections === null
      ? html`<input name="connection" value="${exact(value('connection'))}" autocomplete="off" spellcheck="false">`
      : select('connection', connections, value('connection'))
  }</label>
<label>Order ${select('order', ['newest', 'oldest'], value('order'), { any: null })}</label>
</div>
<fieldset class="choices"><legend>State</legend>${states.map(
    (state) =>
      html`<label class="choice"><input type="checkbox" name="state" value="${state}" ${flag('checked', chosen.has(state))}>${stateBadge(state)}</label>`,
  )}</fieldset>
<details><summary>More filters${set.length === 0 ? null : html` <small>${filterText(Object.fromEntries(set))}</small>`}</summary>
<div class="fields">
<label>Provider ${select('provider', providers, value('provider'))}</label>
<label>Attention ${select('attention', attentions, value('attention'), { write: words })}</label>
<label>Job id, exactly <input name="jobId" value="${exact(value('jobId'))}" autocomplete="off" spellcheck="false"></label>
<label class="wide">Metadata, such as <code>team=sales, run=42</code> <input name="metadata" value="${exact(metadataText(query))}" autocomplete="off" spellcheck="false"></label>
${range({ path, query, now }, 'registered', 'Registered')}
${range({ path, query, now }, 'finished', 'Ended')}
</div>
</details>
<div class="actions"><button class="primary">Filter</button>${query.size > 0 ? html`<a class="button" href="${path}">Clear</a>` : null}</div>
</form>`
}

function range(
  { path, query, now }: Pick<FilterFormContent, 'path' | 'query' | 'now'>,
  name: 'registered' | 'finished',
  title: string,
): Html {
  const field = (end: 'After' | 'Before', text: string) =>
    html`<label>${text} ${momentInput({ name: `${name}${end}`, value: query.get(`${name}${end}`) ?? '' })}</label>`
  const link = (text: string, from: Date, until: Date | null) => {
    const changes = {
      [`${name}After`]: from.toISOString(),
      [`${name}Before`]: until?.toISOString() ?? null,
      after: null,
    }
    return html`<a href="${linkWith(path, query, changes)}">${text}</a>`
  }
  const links = [
    ...days.map(([text, ago]) => link(text, dayBegin(now, ago), ago === 0 ? null : dayBegin(now, ago - 1))),
    ...presets.map(([text, ms]) => {
      const from = after(now, -ms)
      from.setUTCMilliseconds(0)
      return link(text, from, null)
    }),
  ]
  return html`<fieldset class="range"><legend>${title} <small>UTC</small></legend>${field('After', 'from')}${field('Before', 'until')}<span class="presets">${links}</span></fieldset>`
}

/** Returns when the day in UTC began that many days ago. */
function dayBegin(now: Date, daysAgo: number): Date {
  const begin = after(now, -daysAgo * dayMs)
  begin.setUTCHours(0, 0, 0, 0)
  return begin
}

function select(
  name: string,
  options: readonly string[],
  chosen: string,
  { any = 'any', write = String }: { any?: string | null; write?: (option: string) => string } = {},
): Html {
  const known = chosen === '' || options.includes(chosen) ? options : [chosen, ...options]
  return html`<select name="${name}">${any === null ? null : html`<option value="">${any}</option>`}${known.map(
    (option) => html`<option value="${option}" ${flag('selected', option === chosen)}>${write(option)}</option>`,
  )}</select>`
}

function flag(name: 'checked' | 'selected', isSet: boolean): Html | null {
  return isSet ? new Html(name) : null
}
